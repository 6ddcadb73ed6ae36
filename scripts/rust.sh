# shellcheck shell=bash
# Sourced in the root of the project: puts a Rust that is new enough for this workspace first on PATH, if there is one.

# The oldest compiler that will do, as Cargo.toml says.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)

# Whether the Rust on PATH is new enough.
rust_is_new_enough() {
    local version
    command -v cargo >/dev/null && version=$(rustc --version 2>/dev/null) || return 1
    version=${version#rustc }
    printf '%s\n' "$rust_wanted" "${version%% *}" | sort --check=silent --version-sort
}

# Tries the Rust on PATH, then that of rustup in its usual place, then that of the distribution.
use_rust() {
    local path=$PATH folder
    # rustup may use what it has, but must not fetch a toolchain because of rust-toolchain.toml.
    export RUSTUP_AUTO_INSTALL=0
    for folder in "" "${CARGO_HOME:-$HOME/.cargo}/bin:" /usr/bin:; do
        export PATH=$folder$path
        ! rust_is_new_enough || return 0
    done
    export PATH=$path
    return 1
}
