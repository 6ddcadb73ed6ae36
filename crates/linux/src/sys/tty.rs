//! The tty requests that rustix does not have.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_ushort, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// `TIOCMGET`: the modem lines, a sum of `TIOCM_*`.
pub(crate) fn modem_lines(tty: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut lines = 0;
    // SAFETY: the request writes one int, to a live local.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCMGET, &raw mut lines) })?;
    Ok(lines)
}

/// `TIOCMBIS`: raises these lines.
pub(crate) fn raise_lines(tty: BorrowedFd<'_>, lines: c_int) -> io::Result<()> {
    // SAFETY: the request reads one int, from a live local.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCMBIS, &raw const lines) })?;
    Ok(())
}

/// `TIOCMBIC`: drops these lines.
pub(crate) fn drop_lines(tty: BorrowedFd<'_>, lines: c_int) -> io::Result<()> {
    // SAFETY: the request reads one int, from a live local.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCMBIC, &raw const lines) })?;
    Ok(())
}

/// `TIOCOUTQ`: octets the driver has not sent yet.
pub(crate) fn output_queue(tty: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut octets = 0;
    // SAFETY: the request writes one int, to a live local.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) })?;
    Ok(octets)
}

/// `TIOCSBRK` and `TIOCCBRK`: begins or ends a break.
pub(crate) fn set_break(tty: BorrowedFd<'_>, on: bool) -> io::Result<()> {
    let request = if on { libc::TIOCSBRK } else { libc::TIOCCBRK };
    // SAFETY: neither request has an argument.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), request) })?;
    Ok(())
}

/// `TIOCGSERIAL`, then `TIOCSSERIAL` with the low-latency flag, if it is not set yet.
pub(crate) fn set_low_latency(tty: BorrowedFd<'_>) -> io::Result<()> {
    let mut settings = SerialStruct::EMPTY;
    // SAFETY: the request writes one `struct serial_struct`, whose layout `SerialStruct` has, to a live local.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCGSERIAL, &raw mut settings) })?;
    if settings.flags & ASYNC_LOW_LATENCY != 0 {
        return Ok(());
    }
    settings.flags |= ASYNC_LOW_LATENCY;
    // SAFETY: the request reads one `struct serial_struct` from a live local; its pointer is the driver's own.
    check(unsafe { libc::ioctl(tty.as_raw_fd(), libc::TIOCSSERIAL, &raw const settings) })?;
    Ok(())
}

/// Hand received octets on at once instead of gathering them (`linux/tty_flags.h`).
const ASYNC_LOW_LATENCY: c_int = 1 << 13;

/// `struct serial_struct` of `linux/serial.h`, which libc does not have.
#[repr(C)]
struct SerialStruct {
    kind: c_int,
    line: c_int,
    port: c_uint,
    irq: c_int,
    flags: c_int,
    xmit_fifo_size: c_int,
    custom_divisor: c_int,
    baud_base: c_int,
    close_delay: c_ushort,
    io_type: c_char,
    reserved_char: [c_char; 1],
    hub6: c_int,
    closing_wait: c_ushort,
    closing_wait2: c_ushort,
    iomem_base: *mut c_void,
    iomem_reg_shift: c_ushort,
    port_high: c_uint,
    iomap_base: c_ulong,
}

impl SerialStruct {
    const EMPTY: Self = Self {
        kind: 0,
        line: 0,
        port: 0,
        irq: 0,
        flags: 0,
        xmit_fifo_size: 0,
        custom_divisor: 0,
        baud_base: 0,
        close_delay: 0,
        io_type: 0,
        reserved_char: [0],
        hub6: 0,
        closing_wait: 0,
        closing_wait2: 0,
        iomem_base: std::ptr::null_mut(),
        iomem_reg_shift: 0,
        port_high: 0,
        iomap_base: 0,
    };
}
