//! What can be wrong with what is fitted: labels, folds, models.

/// Something that cannot be fitted to labelled items, or a fitted model that is not one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// No labels, or no items.
    #[error("no labelled items; a fit needs one label per item, and at least one item")]
    NoLabels,
    /// A class that no label names, for which the likelihood has no maximum.
    #[error("no item{} is labelled {class}; give an example of every class, or leave the class out", outside(*.fold))]
    ClassAbsent {
        /// Which class.
        class: usize,
        /// The fold without which it does not occur; `None`: it occurs nowhere.
        fold: Option<u32>,
    },
    /// Labelled items without a single opinion.
    #[error("no source says anything of any labelled item; weights need at least one opinion")]
    NoOpinions,
    /// Folds that cannot be left out one by one.
    #[error("{folds} folds of {items} items; out-of-fold answers need at least 2 folds that hold items")]
    Folds {
        /// Number of folds that hold items, or that were asked for.
        folds: usize,
        /// Number of items.
        items: usize,
    },
    /// More parameters than a fit takes on.
    #[error("{sources} sources x {classes} x {classes} weights are more than the {limit} a fit takes on")]
    TooManyParameters {
        /// Number of sources.
        sources: usize,
        /// Number of classes.
        classes: usize,
        /// The most parameters.
        limit: usize,
    },
    /// A meta-learner's answer that is no distribution.
    #[error("the meta-learner's answer on item {item} is no distribution: {why}")]
    NotADistribution {
        /// Which item.
        item: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A model whose numbers do not make one up.
    #[error("not a stacked model: {why}")]
    Model {
        /// What is wrong and what would be right.
        why: String,
    },
    /// The optimiser gave up before it had a finite objective.
    #[error("the optimiser found no finite objective: {message}")]
    Optimiser {
        /// What it said.
        message: String,
    },
}

fn outside(fold: Option<u32>) -> String {
    fold.map_or(String::new(), |fold| format!(" outside fold {fold}"))
}
