//! A shared library, through its C API.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_uint};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use netfilter_conntrack::{Attr, AttrGroup, ExpectAttr};

use crate::c_api::{CApi, Object};
use crate::class::{Class, ExpectClass, HEAD, class, expect_class, group_len};
use crate::explained::Tally;
use crate::op::{ENTRIES, EXPECTS, Op, UNKNOWN};
use crate::side::{Detail, Key, LABELS, Outcome, Side, State};

pub(crate) struct CSide<'api> {
    pub(crate) api: &'api CApi,
    pub(crate) entries: [Object; ENTRIES],
    pub(crate) expects: [Object; EXPECTS],
    /// The helper's private data of each entry, whose length C does not tell.
    pub(crate) info: [Option<Vec<u8>>; ENTRIES],
    /// The length that the original notes of the private data: only of data
    /// that it has parsed.
    pub(crate) noted_len: [usize; ENTRIES],
    pub(crate) detail: Detail,
    /// The names of [`LABELS`].
    pub(crate) label_map: Object,
    /// For the original: the explained differences, which are made good.
    pub(crate) tally: Option<Tally>,
}

impl<'api> CSide<'api> {
    pub(crate) fn new(api: &'api CApi, detail: Detail, tally: Option<Tally>) -> Self {
        Self {
            api,
            entries: [(); ENTRIES].map(|()| new(api.ct_new)),
            expects: [(); EXPECTS].map(|()| new(api.exp_new)),
            info: Default::default(),
            noted_len: [0; ENTRIES],
            detail,
            label_map: label_map(api),
            tally,
        }
    }

    /// Whether outcomes that are not equal differ only by what is explained.
    pub(crate) fn explains(&mut self, op: &Op, own: &Outcome, other: &Outcome) -> bool {
        let Some(mut tally) = self.tally.take() else {
            return false;
        };
        let explained = tally.explains(self, op, own, other);
        self.tally = Some(tally);
        explained
    }

    pub(crate) fn is_set(&self, entry: Object, attr: Attr) -> bool {
        // SAFETY: a live entry.
        unsafe { (self.api.attr_is_set)(entry, attr.number()) == 1 }
    }

    /// Sets an attribute of fixed size, or does what setting another one does.
    pub(crate) fn set(&self, entry: Object, attr: Attr, value: &[u8; 16]) {
        // SAFETY: a live entry, and as many bytes as any such attribute has.
        unsafe { (self.api.set_attr)(entry, attr.number(), value.as_ptr().cast()) }
    }

    pub(crate) fn unset(&self, entry: Object, attr: Attr) -> i32 {
        // SAFETY: a live entry.
        unsafe { (self.api.attr_unset)(entry, attr.number()) }
    }

    pub(crate) fn set_info(&self, entry: Object, info: &[u8]) {
        let (attr, value) = (Attr::HelperInfo.number(), info.as_ptr().cast());
        // SAFETY: a live entry and as many bytes as told.
        unsafe { (self.api.set_attr_l)(entry, attr, value, info.len()) }
    }

    /// The reply tuple's two words, present or not.
    pub(crate) fn reply_words(&self, entry: Object) -> [[u8; 2]; 2] {
        const SETUP_ORIGINAL: c_uint = 4;
        // SAFETY: a live entry; its clone is destroyed here.
        unsafe {
            let clone = (self.api.ct_clone)(entry);
            assert!(!clone.is_null());
            // Makes all attributes of both tuples present, and leaves the reply one.
            (self.api.setobjopt)(clone, SETUP_ORIGINAL);
            let words = [Attr::ReplPortSrc, Attr::ReplPortDst].map(|attr| {
                let value = self.bytes(clone, attr).expect("present");
                [value[0], value[1]]
            });
            (self.api.ct_destroy)(clone);
            words
        }
    }

    /// Whether the original has not noted the right length of an entry's
    /// private data.
    pub(crate) fn has_unsure_info(&self, entry: usize) -> bool {
        let info = self.info[entry].as_ref();
        info.is_some_and(|info| info.len() != self.noted_len[entry])
    }

    /// Where the original would send private data of a wrong length, makes the
    /// helper absent and gives its name.
    pub(crate) fn hide_unsure_help(&self, entry: usize) -> Option<Vec<u8>> {
        let object = self.entries[entry];
        if !self.has_unsure_info(entry) {
            return None;
        }
        let name = self.attr(entry, Attr::HelperName)?;
        self.unset(object, Attr::HelperName);
        Some(name)
    }

    /// Makes the helper present again.
    pub(crate) fn show_help(&self, entry: usize, name: &[u8]) {
        let mut value = [0; 16];
        value[..name.len()].copy_from_slice(name);
        self.set(self.entries[entry], Attr::HelperName, &value);
    }

    /// How many labels there is room for.
    pub(crate) fn label_bits(&self, entry: Object, attr: Attr) -> Option<u32> {
        // SAFETY: a live entry with labels.
        unsafe {
            let mask = (self.api.get_attr)(entry, attr.number());
            (!mask.is_null()).then(|| (self.api.bitmask_maxbit)(mask.cast_mut()))
        }
    }

    /// The family of the master tuple, present or not.
    pub(crate) fn master_family(&self, entry: Object) -> u8 {
        // No call makes it present without setting it. What is absent has been
        // unset, or never set, and the message is built of what is stored.
        let value = self.bytes(entry, Attr::MasterL3proto);
        value.map_or(0, |value| value[0])
    }

    /// Whether a tuple of an expectation is neither IPv4 nor IPv6.
    pub(crate) fn has_odd_tuple(&self, expect: usize) -> bool {
        let attrs = ExpectAttr::all().filter(|attr| expect_class(*attr) == ExpectClass::Tuple);
        let is_odd = |attr: ExpectAttr| {
            // SAFETY: a live expectation; its tuples can be read like entries.
            let head = unsafe { (self.api.exp_get)(self.expects[expect], attr.number()) };
            let family = || self.bytes(head.cast_mut(), Attr::OrigL3proto);
            !head.is_null() && !family().is_some_and(|family| is_ip(family[0]))
        };
        attrs.into_iter().any(is_odd)
    }

    /// The value of an attribute of fixed size.
    pub(crate) fn bytes(&self, entry: Object, attr: Attr) -> Option<Vec<u8>> {
        let len = match class(attr) {
            Class::Bytes(len) | Class::Number(len) | Class::ReadOnly(len) => len,
            other => panic!("{}: {other:?}", attr.name()),
        };
        // SAFETY: a live entry; present attributes have this many bytes.
        let value = unsafe {
            let value = (self.api.get_attr)(entry, attr.number()).cast::<u8>();
            (!value.is_null()).then(|| std::slice::from_raw_parts(value, len).to_vec())
        };
        self.check_number(entry, attr, value.as_deref());
        value
    }

    /// The getters of numbers give the same, and narrower ones its low bits.
    fn check_number(&self, entry: Object, attr: Attr, value: Option<&[u8]>) {
        let (number, api) = (attr.number(), self.api);
        // SAFETY: a live entry. Wider getters than the attribute would read
        // what stands behind it.
        let read = |width| unsafe {
            match width {
                1 => (api.get_u8)(entry, number).into(),
                2 => (api.get_u16)(entry, number).into(),
                4 => (api.get_u32)(entry, number).into(),
                _ => (api.get_u64)(entry, number),
            }
        };
        let expected = match value.unwrap_or(&[0]) {
            [a] => (*a).into(),
            [a, b] => u16::from_ne_bytes([*a, *b]).into(),
            [a, b, c, d] => u32::from_ne_bytes([*a, *b, *c, *d]).into(),
            bytes => match bytes.try_into() {
                Ok(bytes) => u64::from_ne_bytes(bytes),
                Err(_) => return,
            },
        };
        let (Class::Bytes(len) | Class::Number(len) | Class::ReadOnly(len)) = class(attr) else {
            return;
        };
        for width in [1, 2, 4, 8].into_iter().filter(|width| *width <= len) {
            // The original takes the first bytes, which are the low ones only here.
            if width == len || cfg!(target_endian = "little") {
                let low_bits = expected & u64::MAX >> (64 - 8 * width);
                assert_eq!(read(width), low_bits, "{} of {width}", attr.name());
            }
        }
    }

    fn attr(&self, entry: usize, attr: Attr) -> Option<Vec<u8>> {
        let object = self.entries[entry];
        if matches!(
            class(attr),
            Class::Bytes(_) | Class::Number(_) | Class::ReadOnly(_)
        ) {
            return self.bytes(object, attr);
        }
        if !self.is_set(object, attr) {
            return None;
        }
        // SAFETY: a live entry. Strings are terminated, private data as long as
        // noted, and labels a bitmask.
        unsafe {
            let value = (self.api.get_attr)(object, attr.number());
            if value.is_null() {
                return Some(Vec::new());
            }
            Some(match class(attr) {
                Class::Labels => {
                    let mask = value.cast_mut();
                    let bits = 0..=(self.api.bitmask_maxbit)(mask);
                    bits.map(|bit| (self.api.bitmask_test)(mask, bit) as u8)
                        .collect()
                }
                Class::Blob => {
                    let len = self.info[entry].as_ref().map_or(0, Vec::len);
                    std::slice::from_raw_parts(value.cast(), len).to_vec()
                }
                _ => CStr::from_ptr(value.cast()).to_bytes().to_vec(),
            })
        }
    }

    fn group(&self, entry: Object, group: AttrGroup) -> Option<Vec<u8>> {
        let mut value = vec![0xaa; group_len(group)];
        let pointer = value.as_mut_ptr().cast();
        // SAFETY: a live entry, and room for the group's struct.
        let (found, set) = unsafe {
            (
                (self.api.get_grp)(entry, group.number(), pointer) == 0,
                (self.api.grp_is_set)(entry, group.number()) == 1,
            )
        };
        assert_eq!(found, set, "{group:?}");
        if self.detail == Detail::Native && group.number() >= 12 {
            value.truncate(4);
        }
        found.then_some(value)
    }

    pub(crate) fn replace(&mut self, entry: usize, object: Object) {
        // SAFETY: a live entry, which is not used again.
        unsafe { (self.api.ct_destroy)(self.entries[entry]) }
        self.entries[entry] = object;
    }

    pub(crate) fn replace_expect(&mut self, expect: usize, object: Object) {
        // SAFETY: a live expectation, which is not used again.
        unsafe { (self.api.exp_destroy)(self.expects[expect]) }
        self.expects[expect] = object;
    }

    /// A tuple of an expectation, which C programs read like an entry.
    fn head(&self, head: Object, attr: ExpectAttr, state: &mut State) {
        let value = |attr| self.bytes(head, attr);
        if self.detail == Detail::Full {
            state.extend(HEAD.map(|part| (Key::Head(attr, part), value(part))));
        }
        let mut bytes = Vec::new();
        if let Some(family) = value(Attr::OrigL3proto) {
            let l4proto = value(Attr::OrigL4proto).unwrap_or(vec![0]);
            bytes.extend([&family[..], &l4proto].concat());
            let address = |v6, v4| {
                let mut address = value(v6).or(value(v4)).unwrap_or_default();
                address.resize(16, 0);
                address
            };
            let width = match i32::from(family[0]) {
                libc::AF_INET => 4,
                libc::AF_INET6 => 16,
                _ => 0,
            };
            bytes.extend(&address(Attr::OrigIpv6Src, Attr::OrigIpv4Src)[..width]);
            bytes.extend(&address(Attr::OrigIpv6Dst, Attr::OrigIpv4Dst)[..width]);
            if [6, 17, 33, 132, 136, 47, 1, 58].contains(&l4proto[0]) {
                let id = value(Attr::IcmpId).unwrap_or(vec![0; 2]);
                let part = |attr| value(attr).unwrap_or(vec![0]);
                let kind_and_code = [part(Attr::IcmpType), part(Attr::IcmpCode)].concat();
                bytes.extend(value(Attr::OrigPortSrc).unwrap_or(id));
                bytes.extend(value(Attr::OrigPortDst).unwrap_or(kind_and_code));
            }
            bytes.extend(value(Attr::OrigZone).unwrap_or_default());
        }
        state.push((Key::Expect(attr), Some(bytes)));
    }
}

impl Side for CSide<'_> {
    fn reset(&mut self) {
        for entry in 0..ENTRIES {
            self.replace(entry, new(self.api.ct_new));
        }
        for expect in 0..EXPECTS {
            self.replace_expect(expect, new(self.api.exp_new));
        }
        self.info = Default::default();
        self.noted_len = [0; ENTRIES];
    }

    fn apply(&mut self, op: &Op) -> Outcome {
        match self.tally.take() {
            Some(mut tally) => {
                let outcome = tally.make_good(self, op);
                self.tally = Some(tally);
                outcome
            }
            None => self.perform(op),
        }
    }

    fn entry(&self, entry: usize) -> State {
        let object = self.entries[entry];
        let attrs = Attr::ALL.into_iter().filter(|attr| *attr != UNKNOWN);
        let attrs = attrs.map(|attr| (Key::Attr(attr), self.attr(entry, attr)));
        let groups = AttrGroup::all().map(|group| (Key::Group(group), self.group(object, group)));
        let options = (0..4).map(|option| {
            // SAFETY: a live entry.
            let set = unsafe { (self.api.getobjopt)(object, option) };
            (Key::Option(option), Some(vec![set as u8]))
        });
        attrs.chain(groups).chain(options).collect()
    }

    fn expect(&self, expect: usize) -> State {
        let object = self.expects[expect];
        let mut state = State::new();
        for attr in ExpectAttr::all() {
            // SAFETY: a live expectation.
            let (set, value) = unsafe {
                let set = (self.api.exp_is_set)(object, attr.number()) == 1;
                (set, (self.api.exp_get)(object, attr.number()))
            };
            assert_eq!(set, !value.is_null(), "{attr:?}");
            if !set {
                state.push((Key::Expect(attr), None));
                continue;
            }
            // SAFETY: present attributes have this many bytes, strings are terminated.
            let bytes = unsafe {
                match expect_class(attr) {
                    ExpectClass::Number(len) => {
                        std::slice::from_raw_parts(value.cast(), len).to_vec()
                    }
                    ExpectClass::Name => CStr::from_ptr(value.cast()).to_bytes().to_vec(),
                    ExpectClass::Tuple => {
                        self.head(value.cast_mut(), attr, &mut state);
                        continue;
                    }
                }
            };
            state.push((Key::Expect(attr), Some(bytes)));
        }
        state
    }
}

impl Drop for CSide<'_> {
    fn drop(&mut self) {
        // SAFETY: live objects, which are not used again.
        unsafe {
            self.entries
                .iter()
                .for_each(|entry| (self.api.ct_destroy)(*entry));
            self.expects
                .iter()
                .for_each(|expect| (self.api.exp_destroy)(*expect));
            (self.api.labelmap_destroy)(self.label_map);
        }
    }
}

pub(crate) fn new(new: unsafe extern "C" fn() -> Object) -> Object {
    // SAFETY: it takes nothing.
    let object = unsafe { new() };
    assert!(!object.is_null());
    object
}

/// The label map that C reads from a file.
fn label_map(api: &CApi) -> Object {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(LABELS).expect("write");
    let path = CString::new(file.path().as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the path is a string.
    let map = unsafe { (api.labelmap_new)(path.as_ptr()) };
    assert!(!map.is_null());
    map
}

/// Whether a family is IPv4 or IPv6.
pub(crate) fn is_ip(family: u8) -> bool {
    matches!(i32::from(family), libc::AF_INET | libc::AF_INET6)
}
