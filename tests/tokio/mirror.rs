//! A mirror in Tokio.

use std::time::Duration;

use netfilter_conntrack::Mirror;
use netfilter_conntrack::async_io::AsyncMirror;
use netfilter_conntrack::mirror::{Change, Reason};

use crate::common::flows;
use crate::{create, run};

#[test]
fn changes_come_through_losses_and_on_time() {
    for threads in [1, 2] {
        run(threads, async || {
            create(0..100);
            // Small, so that events are lost.
            let mirror = Mirror::options()
                .receive_buffer(64 * 1024)
                .receive_buffer_max(0)
                .resync_every(None)
                .resync_pause(Duration::from_millis(1), Duration::from_millis(5))
                .open()
                .unwrap();
            let mut mirror = AsyncMirror::over(mirror).unwrap();
            let follower = tokio::spawn(async move {
                let (mut flows, mut resyncs) = (0, Vec::new());
                while flows < 10_000 || !mirror.get().is_synchronised() {
                    match mirror.next_change().await.unwrap() {
                        Change::Inserted(_) => flows += 1,
                        Change::Removed(..) => flows -= 1,
                        Change::Resynced(resync) => resyncs.push(resync.reason),
                        _ => {}
                    }
                }
                (mirror, resyncs)
            });
            tokio::task::spawn_blocking(|| create(100..10_000))
                .await
                .unwrap();
            let (mut mirror, resyncs) = follower.await.unwrap();
            assert!(!resyncs.is_empty());
            assert_eq!(mirror.get().len(), 10_000);
            assert!(mirror.get().statistics().overruns > 0, "{mirror:?}");
            let tuple = flows::udp4(9_999).original().unwrap();
            assert!(mirror.get().get(&tuple, 0).is_some());

            // What nothing but the clock asks for.
            mirror
                .get_mut()
                .set_resync_interval(Some(Duration::from_millis(20)));
            loop {
                let change = mirror.next_change().await.unwrap();
                if matches!(change, Change::Resynced(resync) if resync.reason == Reason::Interval) {
                    break;
                }
            }
            assert_eq!(mirror.into_inner().len(), 10_000);
        });
    }
}
