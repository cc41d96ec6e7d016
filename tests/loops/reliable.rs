//! Events that the kernel must not lose.

use netfilter_conntrack::{Error, EventKind, Groups, Handle};

use crate::common::{netns, wait};
use crate::{asking, create, flow};

const MANY: u16 = 300;

#[test]
fn reliable_events_come_late_and_hold_what_has_ended() {
    netns::run(|| {
        let mut listener = Handle::open(Groups::DESTROY).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener.set_receive_buffer(4096).unwrap();
        listener.set_reliable(true).unwrap();
        let mut handle = asking();
        create(&mut handle, 1..=MANY);
        for port in 1..=MANY {
            handle.delete(&flow(port)).unwrap();
        }
        // Nobody finds them any more, but they take up room in the table.
        assert_eq!(handle.get(&flow(MANY)).unwrap_err().errno(), libc::ENOENT);
        let held = handle.stats().unwrap().entries;
        assert!(held > u32::from(MANY) / 2, "{held}");

        let mut ended = Vec::new();
        wait::until("the end of every flow", || {
            loop {
                match listener.next_event() {
                    Ok(event) => {
                        assert_eq!(event.kind(), EventKind::Destroy);
                        let tuple = event.conntrack().unwrap().original().unwrap();
                        ended.push(tuple.ports().unwrap().0);
                    }
                    Err(Error::WouldBlock) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            (ended.len() == usize::from(MANY)).then_some(())
        });
        ended.sort_unstable();
        let all: Vec<_> = (1..=MANY).collect();
        assert_eq!(ended, all);
        assert_eq!(listener.overruns(), 0);
        wait::until("an empty table", || {
            (handle.stats().unwrap().entries == 0).then_some(())
        });
    });
}
