//! Comparison of an answer with the oracle, or of one device's answer with another's.

use consilience::kernel::fusion::pool::{ABSOLUTE, RELATIVE};
use consilience::{Evidence, Fused, Fusion, Output};

use crate::support::oracle;

/// Whether two values agree within the contract of the kernel.
pub fn agree(got: f32, want: f64) -> bool {
    (f64::from(got) - want).abs() <= f64::from(ABSOLUTE) + f64::from(RELATIVE) * want.abs()
}

/// The first difference between an answer and the oracle's; every output asked for is compared.
pub fn against_oracle(fusion: &Fusion, evidence: &Evidence<'_>, fused: &Fused) -> Result<(), String> {
    let classes = evidence.classes();
    if fused.items() != evidence.items() {
        return Err(format!("{} items of {}", fused.items(), evidence.items()));
    }
    for item in 0..evidence.items() {
        let want = oracle::fuse(fusion, evidence, item).map_err(|source| format!("oracle: source {source}"))?;
        let check = |what: &str, got: f32, want: f64| {
            if agree(got, want) { Ok(()) } else { Err(format!("item {item}: {what} is {got}, not {want}")) }
        };
        for output in fusion.outputs.iter() {
            match output {
                Output::Posterior => {
                    let row = &fused.posterior()[item * classes..][..classes];
                    for (k, (&got, &want)) in row.iter().zip(&want.posterior).enumerate() {
                        check(&format!("posterior of class {k}"), got, want)?;
                    }
                }
                // Inside the tolerance the decision is free; the margin says where that is.
                Output::Decision => {
                    let got = fused.decision()[item] as usize;
                    let short = want.posterior[want.decision] - want.posterior[got];
                    if got != want.decision && short > 2.0 * f64::from(ABSOLUTE) {
                        return Err(format!("item {item}: decision is {got}, not {}", want.decision));
                    }
                }
                Output::Confidence => check("confidence", fused.confidence()[item], want.confidence)?,
                Output::Margin => check("margin", fused.margin()[item], want.margin)?,
                Output::Entropy => check("entropy", fused.entropy()[item], want.entropy)?,
                Output::Disagreement => check("disagreement", fused.disagreement()[item], want.disagreement)?,
                Output::EffectiveSources => {
                    check("effective sources", fused.effective_sources()[item], want.effective_sources)?;
                }
                Output::Flags if fused.flags()[item] != want.flags => {
                    return Err(format!("item {item}: flags are {}, not {}", fused.flags()[item], want.flags));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The first difference between two devices' answers to the same fusion, beyond the contract of the kernel.
pub fn between_devices(one: &Fused, other: &Fused) -> Result<(), String> {
    if (one.items(), one.classes()) != (other.items(), other.classes()) {
        return Err("the shapes differ".to_owned());
    }
    for output in Output::ALL {
        if let (Some(a), Some(b)) = (one.values(output), other.values(output)) {
            let differs = |(a, b): (&f32, &f32)| !agree(*a, f64::from(*b));
            if let Some(i) = a.iter().zip(b).position(differs) {
                return Err(format!("{output} at {i} is {}, not {}", b[i], a[i]));
            }
        }
    }
    let tied = |item: usize| one.margin()[item] <= 2.0 * (ABSOLUTE + RELATIVE);
    if let Some(item) = (0..one.items()).find(|&i| one.decision()[i] != other.decision()[i] && !tied(i)) {
        return Err(format!("decision of item {item} is {}, not {}", other.decision()[item], one.decision()[item]));
    }
    match (0..one.items()).find(|&item| one.flags()[item] != other.flags()[item]) {
        Some(item) => Err(format!("flags of item {item} are {}, not {}", other.flags()[item], one.flags()[item])),
        None => Ok(()),
    }
}

/// All outputs as bits, for equality of every one of them.
pub fn bits(fused: &Fused) -> Vec<Vec<u32>> {
    let column = |output| match (fused.values(output), fused.integers(output)) {
        (Some(values), _) => values.iter().map(|x| x.to_bits()).collect(),
        (_, integers) => integers.unwrap_or_default().to_vec(),
    };
    Output::ALL.map(column).to_vec()
}

/// The columns of one item as bits.
pub fn bits_of(fused: &Fused, item: usize) -> Vec<Vec<u32>> {
    let per = |column: &[u32]| column.len() / fused.items();
    bits(fused).iter().map(|column| column[item * per(column)..][..per(column)].to_vec()).collect()
}

mod tests {
    use consilience::{Encoding, Engine, Rule};

    use super::*;
    use crate::support::problem::Problem;

    /// The comparison itself is tested with a poisoned answer: one that was altered must be found.
    #[test]
    fn an_altered_value_is_found() {
        let problem = Problem::random(Encoding::Probabilities, 3, 40, 5, 1);
        let evidence = problem.evidence();
        let engine = Engine::cpu().expect("a CPU engine");
        let linear = Fusion::new(Rule::Linear).outputs(&Output::ALL);
        let fused = engine.fuse(&linear, &evidence).expect("valid evidence");
        assert_eq!(against_oracle(&linear, &evidence, &fused), Ok(()));
        let mut altered = problem.clone();
        altered.planes[1][17 * 5] += 2e-5;
        altered.planes[1][17 * 5 + 1] -= 2e-5;
        let fused = engine.fuse(&linear, &altered.evidence()).expect("valid evidence");
        let found = against_oracle(&linear, &evidence, &fused).expect_err("a value was altered");
        assert!(found.starts_with("item 17: posterior of class 0"), "{found}");
        let all_different = Fusion::new(Rule::Vote).outputs(&Output::ALL);
        for output in
            Output::ALL.into_iter().filter(|&output| output != Output::EffectiveSources && output != Output::Flags)
        {
            let only = |fusion: &Fusion| fusion.clone().outputs(&[output]);
            let fused = engine.fuse(&only(&all_different), &evidence).expect("valid evidence");
            let wrong = against_oracle(&only(&linear), &evidence, &fused);
            let blind = output == Output::Disagreement;
            assert_eq!(wrong.is_ok(), blind, "{output}: a vote passes for a linear pool");
        }
    }

    #[test]
    fn one_altered_bit_is_found() {
        let problem = Problem::random(Encoding::Probabilities, 3, 40, 5, 1);
        let engine = Engine::cpu().expect("a CPU engine");
        let fuse = |problem: &Problem| engine.fuse(&Fusion::default(), &problem.evidence()).expect("valid evidence");
        let (one, two) = (fuse(&problem), fuse(&problem));
        assert_eq!(bits(&one), bits(&two));
        let mut altered = problem.clone();
        let value = &mut altered.planes[0][0];
        *value = f32::from_bits(value.to_bits() + 4);
        assert_ne!(bits(&fuse(&altered)), bits(&one));
    }
}
