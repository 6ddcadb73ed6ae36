//! `AF_PACKET`: rustix has neither its address nor its options.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libc::{sock_filter, sock_fprog, sockaddr_ll, tpacket_stats};

use super::{check, size};

/// What `recvfrom` told of one frame.
pub(crate) struct RawReceived {
    /// Octets of the frame on the wire, more than the buffer if it did not fit.
    pub(crate) wire_len: usize,
    /// `PACKET_HOST`, `PACKET_BROADCAST` …
    pub(crate) packet_type: u8,
}

/// `SO_ATTACH_FILTER`.
pub(crate) fn attach_filter(socket: BorrowedFd<'_>, program: &[sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // The kernel only reads the program; the field is `*mut` for history's sake.
    let program = sock_fprog { len, filter: program.as_ptr().cast_mut() };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// `PACKET_IGNORE_OUTGOING` (Linux 4.20).
pub(crate) fn ignore_outgoing(socket: BorrowedFd<'_>) -> io::Result<()> {
    const ON: c_int = 1;
    set_option(socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &ON)
}

/// `PACKET_STATISTICS`; the kernel starts counting anew at each call.
pub(crate) fn statistics(socket: BorrowedFd<'_>) -> io::Result<tpacket_stats> {
    let mut statistics = tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut len = size::<tpacket_stats>();
    // SAFETY: both pointers are to live, writable locals, and `len` is the size of the first.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast::<c_void>(),
            &raw mut len,
        )
    })?;
    Ok(statistics)
}

/// Binds to one protocol (host order) of one interface.
pub(crate) fn bind(socket: BorrowedFd<'_>, index: u32, protocol: u16) -> io::Result<()> {
    let address = sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: c_int::try_from(index).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        ..NO_ADDRESS
    };
    // SAFETY: the address is a live local and its size is given with it.
    check(unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast::<libc::sockaddr>(), size::<sockaddr_ll>())
    })?;
    Ok(())
}

/// `recvfrom` with `MSG_TRUNC`, so that a frame longer than `buffer` is noticed.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<RawReceived> {
    let mut address = NO_ADDRESS;
    let mut address_len = size::<sockaddr_ll>();
    // SAFETY: pointer and length are those of `buffer`, which is borrowed for writing; the address and its length
    // are live, writable locals, and the kernel writes at most `address_len` octets of the former.
    let len = unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast::<c_void>(),
            buffer.len(),
            libc::MSG_TRUNC,
            (&raw mut address).cast::<libc::sockaddr>(),
            &raw mut address_len,
        )
    };
    // Only -1 is negative.
    let wire_len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    Ok(RawReceived { wire_len, packet_type: address.sll_pkttype })
}

const NO_ADDRESS: sockaddr_ll = sockaddr_ll {
    sll_family: 0,
    sll_protocol: 0,
    sll_ifindex: 0,
    sll_hatype: 0,
    sll_pkttype: 0,
    sll_halen: 0,
    sll_addr: [0; 8],
};

/// `T` must be what the option is documented to take: private, so that the three callers above are all there are.
fn set_option<T>(socket: BorrowedFd<'_>, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` octets behind a reference to a `T`; for `sock_fprog` it also reads
    // the program the structure points to, which the caller's slice keeps alive.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            ptr::from_ref(value).cast::<c_void>(),
            size::<T>(),
        )
    })?;
    Ok(())
}
