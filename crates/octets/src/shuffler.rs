//! The processor's instruction that moves sixteen octets at once, if it has one.

use fearless_simd::Level;

/// Proof that the processor has the instruction; on processors that cannot have it, of no use.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub(crate) type Shuffler = fearless_simd::Sse4_2;
#[cfg(target_arch = "aarch64")]
pub(crate) type Shuffler = fearless_simd::Neon;
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
pub(crate) type Shuffler = fearless_simd::Fallback;

/// The proof. The processor is asked once.
#[inline]
pub(crate) fn shuffler() -> Option<Shuffler> {
    let level = Level::new();
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    return level.as_sse4_2();
    #[cfg(target_arch = "aarch64")]
    return level.as_neon();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    {
        let _ = level;
        None
    }
}
