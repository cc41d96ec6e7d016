//! The operations, through the C API.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_uint, c_void};
use std::ptr;

use netfilter_conntrack::netlink::{Flags, HEADER_LEN, Header};
use netfilter_conntrack::{Attr, ExpectAttr};
use nix::errno::Errno;

use crate::c_api::Object;
use crate::c_side::{CSide, new};
use crate::class::{ExpectClass, expect_class};
use crate::message;
use crate::op::{Op, Text, TupleParts};
use crate::side::Outcome;

/// Bytes of the netlink and the nfnetlink header.
const HEADERS: usize = HEADER_LEN + 4;

/// Room for a message; the C library does not look at the end of its buffer.
const ROOM: usize = 64 * 1024;

impl CSide<'_> {
    /// Does an operation, without making good for anything.
    pub(crate) fn perform(&mut self, op: &Op) -> Outcome {
        let api = self.api;
        match op {
            Op::Set { entry, attr, value } => self.set(self.entries[*entry], *attr, value),
            Op::SetName { entry, name } => {
                let name = CString::new(&name[..]).expect("no NUL");
                let attr = Attr::HelperName.number();
                // SAFETY: a live entry and a string.
                unsafe { (api.set_attr)(self.entries[*entry], attr, name.as_ptr().cast()) }
            }
            Op::SetInfo { entry, info } => {
                self.set_info(self.entries[*entry], info);
                self.info[*entry] = Some(info.clone());
            }
            Op::SetLabels {
                entry,
                attr,
                max_bit,
                bits,
            } => {
                self.set_labels(self.entries[*entry], *attr, *max_bit, bits);
            }
            Op::SetWide {
                entry,
                attr,
                width,
                value,
            } => {
                let (entry, attr) = (self.entries[*entry], attr.number());
                // SAFETY: a live entry.
                unsafe {
                    match width {
                        1 => (api.set_u8)(entry, attr, *value as u8),
                        2 => (api.set_u16)(entry, attr, *value as u16),
                        4 => (api.set_u32)(entry, attr, *value as u32),
                        _ => (api.set_u64)(entry, attr, *value),
                    }
                }
            }
            Op::Unset { entry, attr } => {
                assert_eq!(self.unset(self.entries[*entry], *attr), 0);
            }
            Op::SetGroup {
                entry,
                group,
                value,
            } => {
                let value = value.as_ptr().cast();
                // SAFETY: a live entry, and as many bytes as the largest group has.
                unsafe { (api.set_grp)(self.entries[*entry], group.number(), value) }
            }
            Op::UnsetGroup { entry, group } => {
                // SAFETY: a live entry.
                let done = unsafe { (api.grp_unset)(self.entries[*entry], group.number()) };
                assert_eq!(done, 0);
            }
            Op::SetOption { entry, option } => {
                // SAFETY: a live entry.
                let done = unsafe { (api.setobjopt)(self.entries[*entry], *option) };
                assert_eq!(done, 0);
            }
            Op::Copy { to, from, flags } => {
                const OVERRIDE: u32 = 8;
                let (target, source) = (self.entries[*to], self.entries[*from]);
                // SAFETY: live entries.
                unsafe { (api.copy)(target, source, *flags) }
                if flags & OVERRIDE != 0 {
                    self.info[*to] = self.info[*from].clone();
                    self.noted_len[*to] = self.noted_len[*from];
                } else if (*flags == 0 || flags & 4 != 0) && self.is_set(source, Attr::HelperInfo) {
                    self.note_copy(*to, *from);
                }
            }
            Op::CopyAttr { to, from, attr } => {
                let (target, source) = (self.entries[*to], self.entries[*from]);
                // SAFETY: live entries.
                unsafe { (api.copy_attr)(target, source, attr.number()) }
                if *attr == Attr::HelperInfo && self.is_set(source, *attr) {
                    self.note_copy(*to, *from);
                }
            }
            Op::Clone { to, from } => {
                // SAFETY: a live entry.
                let clone = unsafe { (api.ct_clone)(self.entries[*from]) };
                assert!(!clone.is_null());
                self.replace(*to, clone);
                self.info[*to] = self.info[*from].clone();
                self.noted_len[*to] = self.noted_len[*from];
            }
            Op::Compare {
                first,
                second,
                flags,
            } => {
                let (first, second) = (self.entries[*first], self.entries[*second]);
                // SAFETY: live entries.
                return Outcome::Number(unsafe { (api.cmp)(first, second, *flags) });
            }
            Op::Build { entry } => return self.build(api.build, self.entries[*entry]),
            Op::Parse { entry, message } => {
                // SAFETY: a whole message and a live entry.
                let result = unsafe { (api.parse)(message.as_ptr().cast(), self.entries[*entry]) };
                if let Some(info) = message::helper_info(message) {
                    self.noted_len[*entry] = info.len();
                    self.info[*entry] = Some(info);
                }
                return Outcome::Number(result);
            }
            Op::SetTuple {
                expect,
                attr,
                tuple,
            } => {
                self.set_tuple(self.expects[*expect], *attr, tuple);
            }
            Op::SetHead {
                expect,
                attr,
                entry,
            } => {
                let (expect, entry) = (self.expects[*expect], self.entries[*entry]);
                // SAFETY: a live expectation, which copies what it takes of a live entry.
                unsafe { (api.exp_set)(expect, attr.number(), entry) }
            }
            Op::CompareHead {
                entry,
                expect,
                attr,
                flags,
            } => {
                // SAFETY: a live entry and a live expectation; comparing original
                // tuples reads no more of an entry than a tuple has.
                unsafe {
                    let head = (api.exp_get)(self.expects[*expect], attr.number());
                    if !head.is_null() {
                        let entry = self.entries[*entry];
                        return Outcome::Number((api.cmp)(entry, head.cast_mut(), *flags));
                    }
                }
            }
            Op::CopyBytes { to, from } => {
                let (to, from) = (self.expects[*to], self.expects[*from]);
                // SAFETY: two live expectations of this size.
                unsafe {
                    let len = (api.exp_maxsize)();
                    ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast::<u8>(), len);
                }
            }
            Op::OutOfRange {
                entry,
                expect,
                number,
            } => return self.out_of_range(*entry, *expect, *number),
            Op::SetNumber {
                expect,
                attr,
                value,
            } => {
                let value = match expect_class(*attr) {
                    ExpectClass::Number(2) => u32::from_ne_bytes({
                        let [a, b] = (*value as u16).to_ne_bytes();
                        [a, b, 0, 0]
                    }),
                    _ => *value,
                };
                // SAFETY: a live expectation and four bytes, the most a number has.
                unsafe {
                    let value = ptr::from_ref(&value).cast();
                    (api.exp_set)(self.expects[*expect], attr.number(), value);
                }
            }
            Op::SetExpectName { expect, attr, name } => {
                let name = CString::new(&name[..]).expect("no NUL");
                // SAFETY: a live expectation and a string.
                unsafe {
                    (api.exp_set)(self.expects[*expect], attr.number(), name.as_ptr().cast());
                }
            }
            Op::UnsetExpect { expect, attr } => {
                // SAFETY: a live expectation.
                let done = unsafe { (api.exp_unset)(self.expects[*expect], attr.number()) };
                assert_eq!(done, 0);
            }
            Op::CloneExpect { to, from } => {
                // SAFETY: a live expectation.
                let clone = unsafe { (api.exp_clone)(self.expects[*from]) };
                assert!(!clone.is_null());
                self.replace_expect(*to, clone);
            }
            Op::CompareExpects {
                first,
                second,
                flags,
            } => {
                let (first, second) = (self.expects[*first], self.expects[*second]);
                // SAFETY: live expectations.
                return Outcome::Number(unsafe { (api.exp_cmp)(first, second, *flags) });
            }
            Op::BuildExpect { expect } => return self.build(api.exp_build, self.expects[*expect]),
            Op::ParseExpect { expect, message } => {
                let expect = self.expects[*expect];
                // SAFETY: a whole message and a live expectation.
                let result = unsafe { (api.exp_parse)(message.as_ptr().cast(), expect) };
                return Outcome::Number(result);
            }
            Op::Print { entry, text } => {
                let entry = self.entries[*entry];
                let Text { event, show, .. } = *text;
                return write(|buffer, size| {
                    let xml = text.xml.into();
                    // SAFETY: a buffer of the size told, a live entry and map.
                    unsafe {
                        if text.labels {
                            let map = self.label_map;
                            (api.snprintf_labels)(buffer, size, entry, event, xml, show, map)
                        } else {
                            (api.snprintf)(buffer, size, entry, event, xml, show)
                        }
                    }
                });
            }
            Op::PrintExpect { expect, text } => {
                let expect = self.expects[*expect];
                let Text {
                    event, show, xml, ..
                } = *text;
                return write(|buffer, size| {
                    // SAFETY: a buffer of the size told and a live expectation.
                    unsafe { (api.exp_snprintf)(buffer, size, expect, event, xml.into(), show) }
                });
            }
            Op::Transfer { .. } | Op::TransferExpect { .. } => unreachable!("made of two"),
        }
        Outcome::Nothing
    }

    /// What comes of numbers that there is no attribute, group or option for.
    fn out_of_range(&self, entry: usize, expect: usize, number: c_uint) -> Outcome {
        let (entry, expect, api) = (self.entries[entry], self.expects[expect], self.api);
        let value = [0x55u8; 32];
        let mut room = [0u8; 32];
        // SAFETY: live objects, and room for any value.
        unsafe {
            // Functions without a result: this crate sets errno, the original does not.
            (api.set_attr)(entry, number, value.as_ptr().cast());
            (api.set_grp)(entry, number, value.as_ptr().cast());
            (api.exp_set)(expect, number, value.as_ptr().cast());
            Errno::clear();
            let asked = [
                (api.get_attr)(entry, number).is_null().into(),
                (api.get_u32)(entry, number) as i32,
                (api.attr_is_set)(entry, number),
                (api.attr_unset)(entry, number),
                (api.get_grp)(entry, number, room.as_mut_ptr().cast()),
                (api.grp_is_set)(entry, number),
                (api.grp_unset)(entry, number),
                (api.exp_get)(expect, number).is_null().into(),
                (api.exp_is_set)(expect, number),
                (api.exp_unset)(expect, number),
            ];
            let refused = Errno::last_raw();
            let options = [
                (api.setobjopt)(entry, number),
                (api.getobjopt)(entry, number),
            ];
            let errno = [refused, Errno::last_raw()];
            let text = format!("{asked:?} {options:?} {errno:?} {room:?}");
            Outcome::Text(Some(text))
        }
    }

    /// Notes what becomes of private data when entries are copied.
    fn note_copy(&mut self, to: usize, from: usize) {
        if let Some(info) = self.info[from].clone() {
            self.info[to] = Some(info);
        }
    }

    fn set_labels(&self, entry: Object, attr: Attr, max_bit: u32, bits: &[u32]) {
        // SAFETY: a live entry, which takes over the bitmask.
        unsafe {
            let mask = (self.api.bitmask_new)(max_bit);
            assert!(!mask.is_null());
            bits.iter()
                .for_each(|bit| (self.api.bitmask_set)(mask, *bit));
            (self.api.set_attr)(entry, attr.number(), mask);
        }
    }

    fn set_tuple(&self, expect: Object, attr: ExpectAttr, parts: &TupleParts) {
        let padded = |bytes: &[u8]| {
            let mut value = [0; 16];
            value[..bytes.len()].copy_from_slice(bytes);
            value
        };
        let entry = new(self.api.ct_new);
        let (family, source, destination) = match parts.v6 {
            true => (libc::AF_INET6, Attr::OrigIpv6Src, Attr::OrigIpv6Dst),
            false => (libc::AF_INET, Attr::OrigIpv4Src, Attr::OrigIpv4Dst),
        };
        self.set(entry, Attr::OrigL3proto, &padded(&[family as u8]));
        self.set(entry, Attr::OrigL4proto, &padded(&[parts.l4proto]));
        self.set(entry, source, &parts.source);
        self.set(entry, destination, &parts.destination);
        let [first, second] = parts.words;
        match parts.l4proto {
            6 | 17 | 132 | 47 => {
                self.set(entry, Attr::OrigPortSrc, &padded(&first));
                self.set(entry, Attr::OrigPortDst, &padded(&second));
            }
            1 | 58 => {
                self.set(entry, Attr::IcmpId, &padded(&first));
                self.set(entry, Attr::IcmpType, &padded(&second[..1]));
                self.set(entry, Attr::IcmpCode, &padded(&second[1..]));
            }
            _ => {}
        }
        if let Some(zone) = parts.zone {
            self.set(entry, Attr::OrigZone, &padded(&zone.to_ne_bytes()));
        }
        // SAFETY: a live expectation; it copies what it takes of the entry.
        unsafe {
            (self.api.exp_set)(expect, attr.number(), entry);
            (self.api.ct_destroy)(entry);
        }
    }

    /// Builds a message by `build` and gives its attributes.
    fn build(
        &self,
        build: unsafe extern "C" fn(*mut c_void, Object) -> i32,
        object: Object,
    ) -> Outcome {
        // In words, so that it is aligned; zero, since the original leaves padding as it is.
        let mut buffer = vec![0u32; ROOM / 4];
        let header = Header {
            len: HEADERS as u32,
            flags: Flags::empty(),
            ..Header::default()
        };
        let words = header.to_bytes();
        for (word, bytes) in buffer.iter_mut().zip(words.chunks_exact(4)) {
            *word = u32::from_ne_bytes(bytes.try_into().expect("4 bytes"));
        }
        // SAFETY: a live object, and a buffer larger than any message.
        if unsafe { build(buffer.as_mut_ptr().cast(), object) } != 0 {
            return Outcome::Built(None);
        }
        let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let len = Header::read(&bytes).expect("a header").len as usize;
        Outcome::Built(Some(bytes[HEADERS..len].to_vec()))
    }
}

/// Lets a function of C write a text into a large buffer.
fn write(write: impl FnOnce(*mut c_char, c_uint) -> i32) -> Outcome {
    const ROOM: usize = 8192;
    let mut buffer = [0x7f_u8; ROOM];
    let len = write(buffer.as_mut_ptr().cast(), ROOM as c_uint);
    let Ok(len) = usize::try_from(len) else {
        return Outcome::Text(None);
    };
    let text = CStr::from_bytes_until_nul(&buffer).expect("a terminated string");
    assert_eq!(text.to_bytes().len(), len);
    Outcome::Text(Some(text.to_bytes().escape_ascii().to_string()))
}
