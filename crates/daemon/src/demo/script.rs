//! [`ScriptDirectory`]: the chat script of the demo, in a directory that goes with it.

use bridge_linux::{OsError, random};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What is dialled with: a script as one writes it for a mobile stick.
const SCRIPT: &str = r#"ABORT BUSY
ABORT 'NO CARRIER'
ABORT ERROR
TIMEOUT 5
'' ATZ
OK ATE0
OK 'AT+CGDCONT=1,"IP","internet"'
TIMEOUT 60
OK ATD*99***1#
CONNECT \c
"#;

/// A directory of the demo's own with the chat script in it, removed when dropped.
#[derive(Debug)]
pub(super) struct ScriptDirectory {
    directory: PathBuf,
    script: PathBuf,
}

impl ScriptDirectory {
    /// # Errors
    /// There is no place for temporary files.
    pub(super) fn create() -> Result<Self, OsError> {
        let number = u64::from_ne_bytes(random::octets()?);
        let directory = std::env::temp_dir().join(format!("pppoe-serial-bridge-demo-{number:016x}"));
        let failed = |operation, path: &Path| {
            let path = path.display().to_string();
            move |cause| OsError::new(operation, path, cause)
        };
        DirBuilder::new().mode(0o700).create(&directory).map_err(failed("make directory", &directory))?;
        // From here on dropping removes it.
        let created = Self { script: directory.join("modem.chat"), directory };
        fs::write(&created.script, SCRIPT).map_err(failed("write", &created.script))?;
        Ok(created)
    }

    /// The path of the script.
    pub(super) fn script(&self) -> &Path {
        &self.script
    }

    /// Where the bridge may have its control socket.
    pub(super) fn control(&self) -> PathBuf {
        self.directory.join("control")
    }
}

impl Drop for ScriptDirectory {
    fn drop(&mut self) {
        // Nobody is left to whom a failure could matter.
        let _ = fs::remove_file(&self.script);
        // A bridge that was killed has left it.
        let _ = fs::remove_file(self.control());
        let _ = fs::remove_dir(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge_proto::chat::{ConversationOptions, Purpose, Script};

    #[test]
    fn the_script_is_a_good_one() {
        let script = Script::parse(SCRIPT.as_bytes()).unwrap();
        let warnings: Vec<String> = script
            .lint(Purpose::Dial, &ConversationOptions::default())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn nothing_is_left_of_it() {
        let created = ScriptDirectory::create().unwrap();
        let directory = created.directory.clone();
        assert!(created.script().exists());
        drop(created);
        assert!(!directory.exists());
    }
}
