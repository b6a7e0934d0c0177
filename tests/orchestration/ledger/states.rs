//! Learned state in a ledger.

use consilience::learning::{Confusion, Hedge, Reliability, ReliabilityOptions};
use consilience::{ErrorKind, Evidence, StateError};

use super::{open, place};

#[test]
fn state_is_saved_replaced_and_loaded_by_name() {
    let (_directory, path) = place();
    let ledger = open(&path);
    let fresh = Reliability::new(3, ReliabilityOptions::default()).unwrap();
    let mut taught = Reliability::new(1, ReliabilityOptions::default()).unwrap();
    taught.update(&Evidence::probabilities(2, &[&[0.9, 0.1]]).unwrap(), &[Some(0)]).unwrap();
    assert_eq!(ledger.load_state::<Reliability>("chat").unwrap(), None);
    ledger.save_state("chat", &fresh).unwrap();
    ledger.save_state("chat", &taught).unwrap();
    ledger.save_state("vision", &fresh).unwrap();
    drop(ledger);
    let ledger = open(&path);
    assert_eq!(ledger.load_state("chat").unwrap(), Some(taught));
    assert_eq!(ledger.load_state("vision").unwrap(), Some(fresh));
    assert_eq!(ledger.load_state::<Hedge>("nothing").unwrap(), None);
}

#[test]
fn state_of_another_kind_is_refused() {
    let (_directory, path) = place();
    let ledger = open(&path);
    ledger.save_state("chat", &Reliability::new(3, ReliabilityOptions::default()).unwrap()).unwrap();
    let error = ledger.load_state::<Confusion>("chat").unwrap_err();
    let ErrorKind::State(StateError::OtherKind { found, wanted: "confusion", .. }) = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(found, "reliability");
}
