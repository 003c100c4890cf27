//! Streams that were cut short or had bits flipped.

use crate::support::{Home, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stream_that_is_cut_short_is_refused_and_leaves_nothing() {
    let stream = Home::small_stream().await;
    let place = Place::new();
    for len in 0..stream.len() {
        let outcome = place.receive(&stream[..len]).await;
        assert!(outcome.is_err(), "{len} of {}", stream.len());
        place.is_empty();
    }
    place.receive(stream.as_slice()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_refused_or_changes_nothing() {
    let stream = Home::small_stream().await;
    let whole = Place::new();
    whole.receive(stream.as_slice()).await.unwrap();
    let whole = whole.tree();
    let bits = stream.len() * 8;
    let (mut harmless, mut place) = (Vec::new(), Place::new());
    for i in 0..2000 {
        // The header and the trailer bit by bit, and evenly between them.
        let bit = match i {
            0..160 => i,
            160..320 => bits - 1 - (i - 160),
            _ => i * bits / 2000,
        };
        let mut flipped = stream.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match place.receive(flipped.as_slice()).await {
            Err(_) => place.is_empty(),
            Ok(_) => {
                assert!(place.tree() == whole, "bit {bit}");
                harmless.push(bit);
                place = Place::new();
            }
        }
    }
    // Time and system of a gzip header, blanks between its parts, another way to say the same in Deflate.
    assert!(harmless.len() < 150, "{harmless:?}");
}
