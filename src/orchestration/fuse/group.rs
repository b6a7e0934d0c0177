//! Cases that make one call of the engine.

use std::sync::Arc;

use super::Case;
use crate::error::Result;
use crate::orchestration::Opinion;
use crate::spec::Fusion;
use crate::tensor::{ABSTAINED_U16, Evidence, MISSING_U16, Opinions};

/// Cases of one fusion whose sources come in the same forms.
pub(super) struct Group<'a> {
    pub fusion: &'a Arc<Fusion>,
    pub classes: usize,
    /// The form of each source.
    forms: Vec<Form>,
    /// Which cases.
    pub members: Vec<usize>,
}

/// What a source's opinions must have in common to lie in one plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// No opinion yet: fits any other.
    Missing,
    /// No class yet: fits labels of either kind.
    Abstained,
    Label,
    /// A label with a confidence.
    SureLabel,
    Probabilities,
    LogProbabilities,
    Logits,
    Binary,
}

/// The memory of one source's plane.
#[derive(Default)]
struct Plane {
    values: Vec<f32>,
    labels: Vec<u16>,
    confidence: Vec<f32>,
    present: Vec<bool>,
}

/// The cases in groups, each case in one, in the order of their first members.
pub(super) fn groups(cases: &[Case]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (member, case) in cases.iter().enumerate() {
        if !groups.iter_mut().any(|group| group.take(case, member)) {
            let forms = case.opinions().iter().map(|opinion| Form::of(opinion.as_ref())).collect();
            groups.push(Group { fusion: case.fusion(), classes: case.classes(), forms, members: vec![member] });
        }
    }
    groups
}

impl Group<'_> {
    /// Takes the case in, if it fits.
    fn take(&mut self, case: &Case, member: usize) -> bool {
        let opinions = case.opinions();
        let is_alike = opinions.len() == self.forms.len()
            && case.classes() == self.classes
            && (Arc::ptr_eq(self.fusion, case.fusion()) || self.fusion == case.fusion());
        let form = |opinion: &Option<Opinion>| Form::of(opinion.as_ref());
        if !is_alike || !self.forms.iter().zip(opinions).all(|(have, o)| have.join(form(o)).is_some()) {
            return false;
        }
        for (have, opinion) in self.forms.iter_mut().zip(opinions) {
            *have = have.join(form(opinion)).unwrap_or(*have);
        }
        self.members.push(member);
        true
    }

    /// The group's opinions side by side, a plane for each source.
    pub fn with_evidence<T>(&self, cases: &[Case], read: impl FnOnce(&Evidence<'_>) -> T) -> Result<T> {
        let plane = |(source, &form): (usize, &Form)| {
            let mut plane = Plane::default();
            for &member in &self.members {
                plane.push(form, self.classes, cases[member].opinions()[source].as_ref());
            }
            plane
        };
        let planes: Vec<Plane> = self.forms.iter().enumerate().map(plane).collect();
        let opinions: Vec<_> = self.forms.iter().zip(&planes).map(|(&form, plane)| plane.opinions(form)).collect();
        let mut evidence = Evidence::of(self.classes, &opinions)?;
        for (source, plane) in planes.iter().enumerate() {
            if !plane.confidence.is_empty() {
                evidence = evidence.with_confidence(source, &plane.confidence)?;
            }
            if plane.present.contains(&false) {
                evidence = evidence.with_presence(source, &plane.present)?;
            }
        }
        Ok(read(&evidence))
    }
}

impl Form {
    const fn of(opinion: Option<&Opinion>) -> Self {
        match opinion {
            None => Self::Missing,
            Some(Opinion::Abstained) => Self::Abstained,
            Some(Opinion::Label { confidence: None, .. }) => Self::Label,
            Some(Opinion::Label { confidence: Some(_), .. }) => Self::SureLabel,
            Some(Opinion::Probabilities(_)) => Self::Probabilities,
            Some(Opinion::LogProbabilities(_)) => Self::LogProbabilities,
            Some(Opinion::Logits(_)) => Self::Logits,
            Some(Opinion::Binary(_)) => Self::Binary,
        }
    }

    /// The form that holds what either holds.
    fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Missing, form) | (form, Self::Missing) => Some(form),
            (Self::Abstained, form @ (Self::Label | Self::SureLabel))
            | (form @ (Self::Label | Self::SureLabel), Self::Abstained) => Some(form),
            (form, other) => (form == other).then_some(form),
        }
    }
}

impl Plane {
    /// Appends what the source says of one more item; of one that it says nothing of, anything.
    fn push(&mut self, form: Form, classes: usize, opinion: Option<&Opinion>) {
        match form {
            Form::Missing | Form::Abstained | Form::Label | Form::SureLabel => {
                self.labels.push(match opinion {
                    Some(&Opinion::Label { class, .. }) => class,
                    Some(_) => ABSTAINED_U16,
                    None => MISSING_U16,
                });
                if form == Form::SureLabel {
                    let confidence = opinion.and_then(|opinion| match opinion {
                        Opinion::Label { confidence, .. } => *confidence,
                        _ => None,
                    });
                    self.confidence.push(confidence.unwrap_or(1.0));
                }
            }
            Form::Probabilities | Form::LogProbabilities | Form::Logits | Form::Binary => {
                self.present.push(opinion.is_some());
                match opinion {
                    Some(Opinion::Binary(p)) => self.values.push(*p),
                    Some(Opinion::Probabilities(v) | Opinion::LogProbabilities(v) | Opinion::Logits(v)) => {
                        self.values.extend_from_slice(v);
                    }
                    _ => {
                        let each = if form == Form::Binary { 1 } else { classes };
                        self.values.resize(self.values.len() + each, 0.0);
                    }
                }
            }
        }
    }

    fn opinions(&self, form: Form) -> Opinions<'_> {
        match form {
            Form::Missing | Form::Abstained | Form::Label | Form::SureLabel => Opinions::LabelsU16(&self.labels),
            Form::Probabilities => Opinions::Probabilities(&self.values),
            Form::LogProbabilities => Opinions::LogProbabilities(&self.values),
            Form::Logits => Opinions::Logits(&self.values),
            Form::Binary => Opinions::Binary(&self.values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_can_share_planes_make_one_group() {
        let fusion = Arc::new(Fusion::default());
        let row = || Some(Opinion::Probabilities(vec![0.5, 0.5]));
        let label = || Some(Opinion::label(1));
        let sure = Some(Opinion::Label { class: 1, confidence: Some(0.9) });
        let case = |fusion: &Arc<Fusion>, opinions: [Option<Opinion>; 2]| {
            Case::new(Arc::clone(fusion), 2, opinions.into()).unwrap()
        };
        let cases = [
            case(&fusion, [row(), None]),
            case(&fusion, [None, label()]),
            // The second source came with a label by now.
            case(&fusion, [row(), row()]),
            case(&fusion, [row(), Some(Opinion::Abstained)]),
            case(&Arc::new(Fusion::default()), [row(), label()]),
            case(&fusion, [row(), sure]),
            case(&Arc::new(Fusion::default().temperature(2.0)), [row(), label()]),
        ];
        let members: Vec<_> = groups(&cases).into_iter().map(|group| group.members).collect();
        assert_eq!(members, [vec![0, 1, 3, 4], vec![2], vec![5], vec![6]]);
    }
}
