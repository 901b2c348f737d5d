//! Streams without number and streams without end: others are served all the same.

use std::time::{Duration, Instant};

use futures::AsyncWriteExt;
use futures::future::join_all;

use super::peer::{Peer, SYNC};
use super::{Line, Stage, Wares};
use crate::harness::Over;

/// Streams that mallory opens at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_11_silence_in_the_middle_of_a_frame_keeps_nobody_waiting() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut lines = Vec::new();
    for _ in 0..8 {
        let mut peer = stage.peer().await;
        let line = Line::open(&mut peer, Wares::default()).await;
        line.say_bytes(vec![0, 0, 0, 99, 0x82]).await;
        lines.push((peer, line));
    }
    let begin = Instant::now();
    stage.goes_on().await;
    // Far below any deadline that could have freed it.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

/// Opens streams without end, each with a part of a frame on it, and drops them; how many were opened.
async fn storm(peer: &Peer, streams: usize) -> usize {
    let mut opened = 0;
    for _ in 0..streams / AT_ONCE {
        let open = (0..AT_ONCE).map(|_| {
            let mut control = peer.control.clone();
            async move { control.open_stream(peer.target, SYNC).await }
        });
        for mut stream in join_all(open).await.into_iter().flatten() {
            // The node may have reset it by now.
            let _ = stream.write_all(&[0, 0]).await;
            opened += 1;
        }
    }
    opened
}

async fn check_storm(over: Over, streams: usize) {
    let mut stage = Stage::new(over).await;
    let peer = stage.peer().await;
    let (opened, ()) = tokio::join!(storm(&peer, streams), async {
        for _ in 0..5 {
            stage.goes_on().await;
        }
    });
    assert!(opened > streams / 2, "only {opened} were opened");
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_11_ten_thousand_streams_over_tcp_keep_nobody_waiting() {
    check_storm(Over::Tcp, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_11_a_thousand_streams_over_quic_keep_nobody_waiting() {
    check_storm(Over::Quic, 1_000).await;
}
