//! Whatever octets come, and in whatever order.

use super::*;
use proptest::prelude::*;

/// Frames that are LCP more often than chance would have it.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let options = proptest::collection::vec(
        (1_u8..20, proptest::collection::vec(any::<u8>(), 0..5))
            .prop_map(|(kind, value)| [&[kind, 2 + u8::try_from(value.len()).unwrap()][..], &value].concat()),
        0..6,
    );
    let packet = (0_u8..16, 0_u8..4, options).prop_map(|(code, identifier, options)| {
        LcpPacket { code: LcpCode(code), identifier, data: &options.concat() }.emit()
    });
    prop_oneof![4 => packet, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn every_frame_has_few_consequences_and_no_panic(
        frames in proptest::collection::vec((any::<bool>(), frame()), 0..40),
        transparent in any::<bool>(),
    ) {
        let mode = if transparent { MediatorMode::Transparent } else { MediatorMode::Mediate };
        let mut mediator = Mediator::new(MediatorConfig { mode, ..MediatorConfig::default() });
        for (from_host, ppp) in frames {
            if from_host {
                mediator.handle_from_host(&ppp);
            } else {
                mediator.handle_from_modem(&ppp);
            }
            let outputs: Vec<_> = core::iter::from_fn(|| mediator.poll_output()).collect();
            prop_assert!(outputs.len() <= 4, "{:?}", outputs);
            let frames = outputs.iter().filter_map(|output| match output {
                MediatorOutput::ToHost(ppp) | MediatorOutput::ToModem(ppp) => Some(ppp),
                _ => None,
            });
            let frames: Vec<_> = frames.collect();
            prop_assert!(frames.len() <= 1);
            if transparent {
                prop_assert_eq!(frames, [&ppp]);
            }
        }
    }
}
