//! Doubly linked lists whose nodes lie in one vector, so that any node leaves its list in constant time.

/// No node.
const NONE: u32 = u32::MAX;

/// The nodes of any number of lists.
pub(super) struct Lists<T> {
    nodes: Vec<Node<T>>,
    /// The nodes that are free, each naming the next one.
    free: u32,
    /// The next node's serial.
    serial: u64,
}

struct Node<T> {
    /// `None`: free.
    value: Option<T>,
    serial: u64,
    previous: u32,
    next: u32,
}

/// One of the lists: where it begins and ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    first: u32,
    last: u32,
}

/// Where a value is, for as long as it is there: the serial tells it from those that use its node later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    index: u32,
    serial: u64,
}

impl List {
    pub const EMPTY: Self = Self { first: NONE, last: NONE };

    pub const fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

impl<T> Lists<T> {
    pub const fn new() -> Self {
        Self { nodes: Vec::new(), free: NONE, serial: 0 }
    }

    /// Appends a value to a list. There are fewer than 2^32 - 1 values at any time.
    pub fn push(&mut self, list: &mut List, value: T) -> Place {
        let node = Node { value: Some(value), serial: self.serial, previous: NONE, next: NONE };
        self.serial += 1;
        let index = self.free;
        let index = match self.nodes.get_mut(index as usize) {
            Some(free) => {
                self.free = free.next;
                *free = node;
                index
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        self.append(list, index);
        Place { index, serial: self.nodes[index as usize].serial }
    }

    /// Takes a value out of the list that it is in; `None` if it is there no more.
    pub fn remove(&mut self, list: &mut List, place: Place) -> Option<T> {
        self.get(place)?;
        self.unlink(list, place.index);
        let node = &mut self.nodes[place.index as usize];
        node.next = self.free;
        self.free = place.index;
        node.value.take()
    }

    /// Where the first value of a list is.
    pub fn first(&self, list: &List) -> Option<Place> {
        let node = self.nodes.get(list.first as usize)?;
        Some(Place { index: list.first, serial: node.serial })
    }

    /// Makes the first value of a list its last.
    pub fn rotate(&mut self, list: &mut List) {
        if list.first != list.last {
            let index = list.first;
            self.unlink(list, index);
            self.append(list, index);
        }
    }

    pub fn get(&self, place: Place) -> Option<&T> {
        let node = self.nodes.get(place.index as usize)?;
        if node.serial == place.serial { node.value.as_ref() } else { None }
    }

    pub fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        let node = self.nodes.get_mut(place.index as usize)?;
        if node.serial == place.serial { node.value.as_mut() } else { None }
    }

    fn append(&mut self, list: &mut List, index: u32) {
        let node = &mut self.nodes[index as usize];
        (node.previous, node.next) = (list.last, NONE);
        match self.nodes.get_mut(list.last as usize) {
            Some(last) => last.next = index,
            None => list.first = index,
        }
        list.last = index;
    }

    fn unlink(&mut self, list: &mut List, index: u32) {
        let Node { previous, next, .. } = self.nodes[index as usize];
        match self.nodes.get_mut(previous as usize) {
            Some(node) => node.next = next,
            None => list.first = next,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.previous = previous,
            None => list.last = previous,
        }
    }
}
