//! What the kernel may hand to a packet socket: frames of one interface, without a VLAN tag. Of those that are meant
//! for another machine only the first octets, for the program to count.
//!
//! A socket bound to `eth0` is also given the frames of `eth0.7`, a VLAN on top of it: the kernel looks for listeners
//! on the interface a frame first came in by. What tells them apart is the interface the frame now belongs to.
//! A tagged frame for which there is no VLAN interface is kept off too; a tag with the VLAN number 0 is a priority
//! mark only, and its frame belongs to the interface itself.
//!
//! Nothing of the frame's own octets is looked at: malformed frames shall reach the program and be counted there.

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SKF_AD_IFINDEX, SKF_AD_OFF,
    SKF_AD_PKTTYPE, SKF_AD_VLAN_TAG, SKF_AD_VLAN_TAG_PRESENT, sock_filter,
};

/// The classic BPF program for a socket on the interface with this index.
pub(crate) fn program(interface_index: u32) -> [sock_filter; 12] {
    [
        load(SKF_AD_IFINDEX),
        skip_unless_equal(interface_index, 9),
        load(SKF_AD_VLAN_TAG_PRESENT),
        skip_if_equal(0, 3),
        load(SKF_AD_VLAN_TAG),
        instruction(BPF_ALU | BPF_AND | BPF_K, 0, 0, VLAN_NUMBER_MASK),
        skip_unless_equal(0, 4),
        // With an unknown VLAN, too, the kernel says "for another host", after it has taken the tag off.
        load(SKF_AD_PKTTYPE),
        skip_if_equal(u32::from(libc::PACKET_OTHERHOST), 1),
        give(WHOLE_FRAME),
        give(ETHERNET_HEADER),
        give(NOTHING),
    ]
}

/// The VLAN number in the tag control information (IEEE 802.1Q §9.6).
const VLAN_NUMBER_MASK: u32 = 0x0fff;
const WHOLE_FRAME: u32 = u32::MAX;
/// Two addresses and a type: all that is left of a frame for another host.
const ETHERNET_HEADER: u32 = 14;
const NOTHING: u32 = 0;

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    // The opcodes are eight bits wide.
    sock_filter { code: code as u16, jt, jf, k }
}

/// Loads what the kernel knows about the frame; the ancillary words lie at the end of the 32-bit offsets.
const fn load(ancillary: i32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, (SKF_AD_OFF + ancillary) as u32)
}

const fn skip_if_equal(value: u32, instructions: u8) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, instructions, 0, value)
}

const fn skip_unless_equal(value: u32, instructions: u8) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, instructions, value)
}

const fn give(octets: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, 0, 0, octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel knows about a frame besides its octets.
    #[derive(Clone, Copy)]
    struct Frame {
        interface: u32,
        packet_type: u8,
        /// Tag control information, if the frame has a tag.
        tag: Option<u16>,
    }

    const PLAIN: Frame = Frame { interface: 3, packet_type: libc::PACKET_HOST, tag: None };

    /// The part of the classic BPF machine that the program uses; anything else fails the test.
    fn run(program: &[sock_filter], frame: Frame) -> u32 {
        let mut accumulator = 0;
        let mut next = 0;
        loop {
            let step = program[next];
            next += 1;
            match u32::from(step.code) {
                code if code == BPF_LD | BPF_W | BPF_ABS => {
                    accumulator = match step.k as i32 - SKF_AD_OFF {
                        SKF_AD_IFINDEX => frame.interface,
                        SKF_AD_PKTTYPE => u32::from(frame.packet_type),
                        SKF_AD_VLAN_TAG => frame.tag.map_or(0, u32::from),
                        SKF_AD_VLAN_TAG_PRESENT => u32::from(frame.tag.is_some()),
                        other => panic!("no such ancillary word: {other}"),
                    };
                }
                code if code == BPF_ALU | BPF_AND | BPF_K => accumulator &= step.k,
                code if code == BPF_JMP | BPF_JEQ | BPF_K => {
                    next += usize::from(if accumulator == step.k { step.jt } else { step.jf });
                }
                code if code == BPF_RET | BPF_K => return step.k,
                code => panic!("no such instruction: {code:#x}"),
            }
        }
    }

    fn passes(frame: Frame) -> bool {
        run(&program(3), frame) == WHOLE_FRAME
    }

    #[test]
    fn frames_of_the_interface_pass_whole() {
        assert!(passes(PLAIN));
        assert!(passes(Frame { packet_type: libc::PACKET_BROADCAST, ..PLAIN }));
        assert!(passes(Frame { packet_type: libc::PACKET_MULTICAST, ..PLAIN }));
    }

    #[test]
    fn frames_of_another_interface_do_not_pass() {
        assert!(!passes(Frame { interface: 4, ..PLAIN }));
    }

    #[test]
    fn of_frames_for_another_host_only_the_header_passes() {
        let frame = Frame { packet_type: libc::PACKET_OTHERHOST, ..PLAIN };
        assert_eq!(run(&program(3), frame), ETHERNET_HEADER);
        assert_eq!(run(&program(3), Frame { interface: 4, ..frame }), NOTHING);
        assert_eq!(run(&program(3), Frame { tag: Some(7), ..frame }), NOTHING);
    }

    #[test]
    fn a_vlan_tag_keeps_a_frame_off_unless_it_is_only_a_priority() {
        assert!(!passes(Frame { tag: Some(7), ..PLAIN }));
        assert!(!passes(Frame { tag: Some(0xe007), ..PLAIN }));
        assert!(passes(Frame { tag: Some(0xe000), ..PLAIN }));
        assert!(passes(Frame { tag: Some(0), ..PLAIN }));
    }

    #[test]
    fn no_path_runs_off_the_end() {
        for interface in [3, 4] {
            for packet_type in 0..=7 {
                for tag in [None, Some(0), Some(1), Some(0x0fff), Some(0x1000), Some(0xffff)] {
                    let verdict = run(&program(3), Frame { interface, packet_type, tag });
                    assert!([WHOLE_FRAME, ETHERNET_HEADER, NOTHING].contains(&verdict));
                }
            }
        }
    }
}
