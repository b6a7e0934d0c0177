//! What can be wrong with what a vortex operation is given.

/// Something no vortex operation can be carried out on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VortexError {
    /// A modulus that no ring has.
    #[error("a ring of {modulus} positions; a ring has 1 to 65,535")]
    Modulus {
        /// The modulus given.
        modulus: u32,
    },
    /// A factor that cannot be undone.
    #[error("gcd({factor}, {modulus}) is {gcd}; steps can be undone only where it is 1")]
    Factor {
        /// The factor given.
        factor: u32,
        /// The ring's modulus.
        modulus: u32,
        /// Their greatest common divisor.
        gcd: u32,
    },
    /// A path without places, or with more than a path has.
    #[error("a path of {places} places; a path has 1 to 65,535")]
    Path {
        /// The places given.
        places: usize,
    },
    /// A ratio of successive speeds that cannot be computed with.
    #[error("rho is {rho}; it is from 0.001 to 1000, and 1 where every hop takes as long")]
    Ratio {
        /// What was given.
        rho: f32,
    },
    /// A part of an object's state outside its range.
    #[error("the {what} of item {item} is {value}; it must be {must}")]
    Object {
        /// Which part.
        what: &'static str,
        /// Which item.
        item: usize,
        /// What stands there.
        value: f64,
        /// What would be right.
        must: String,
    },
    /// A time that cannot pass.
    #[error("the time {elapsed} cannot pass; it is from 0 to 2^40")]
    Elapsed {
        /// The time given.
        elapsed: f32,
    },
    /// Hops that cannot be counted, or that end before the time does. The object stayed where it was; all others moved.
    #[error(
        "item {item} would pass 2^24 hops, the most that are counted, and stays where it is; all others have moved"
    )]
    Hops {
        /// The first such item.
        item: usize,
    },
    /// Nothing to relax to.
    #[error("there is no anchor; give at least one")]
    NoAnchor,
    /// Two payloads to relax to at one position.
    #[error("two anchors are at position {position}; a position has one at most")]
    TwoAnchors {
        /// The position.
        position: u32,
    },
    /// A payload that is not finite. One that should have relaxed stayed as it is; all others have moved.
    #[error("channel {channel} of the payload of item {item} is {value}; payloads are finite")]
    Payload {
        /// Which channel.
        channel: usize,
        /// Which item.
        item: usize,
        /// What stands there.
        value: f32,
    },
    /// A strength that would overshoot or lead away.
    #[error("the strength is {strength}; it is from 0, where nothing moves, to 1")]
    Strength {
        /// The strength given.
        strength: f32,
    },
    /// A rate at which nothing relaxes.
    #[error("the rate is {rate}; it is at least 0 and finite")]
    Rate {
        /// The rate given.
        rate: f32,
    },
    /// Payloads or positions of more kinds than are counted at once.
    #[error("{what} is {given}; it is at most {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// The most.
        most: usize,
    },
    /// A sequence without a step.
    #[error("sequences of {length} positions; a sequence has 2 to 32,768")]
    Sequence {
        /// The length given.
        length: usize,
    },
    /// A position that is not on the ring.
    #[error("item {item} is at position {position}; positions of the ring are 0 to {most}")]
    Position {
        /// Which item.
        item: usize,
        /// Where it is.
        position: u32,
        /// The ring's last position.
        most: u32,
    },
}
