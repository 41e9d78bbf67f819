//! The set-up script on machines that lack something: a copy of it that looks below a directory of the test's instead
//! of the root, with stand-ins for the commands that install.
#![allow(clippy::disallowed_methods, reason = "tests run programs and write files")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A machine with nothing but a shell's own tools.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { dir: tempfile::tempdir().unwrap() };
        let (bin, root) = (machine.bin(), machine.dir.path().join("root"));
        for dir in ["usr/sbin", "etc/postgresql-common"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        fs::create_dir_all(&bin).unwrap();
        fs::write(root.join("etc/postgresql-common/createcluster.conf"), "").unwrap();
        for tool in
            ["sh", "sed", "tr", "head", "tee", "cp", "mv", "rm", "chmod", "mkdir", "env", "touch", "dirname"]
        {
            symlink(found(tool), bin.join(tool)).unwrap();
        }
        let script = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/setup.sh")).unwrap();
        let below = ["/usr/", "/etc/", "/var/", "/opt/", "/home/", "/Library/", "/Applications/"];
        let here =
            |script: String, top: &&str| script.replace(&format!(" {top}"), &format!(" {}{top}", root.display()));
        let script = below.iter().fold(script, here).replace("=/usr/", &format!("={}/usr/", root.display()));
        let script = script.replace("=/etc/", &format!("={}/etc/", root.display()));
        fs::write(machine.dir.path().join("setup.sh"), script).unwrap();
        machine
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// A command that does what the script says. `$ROOT` and `$LOG` are there for it.
    fn has(&self, name: &str, script: &str) -> &Machine {
        let (root, log) = (self.dir.path().join("root"), self.log());
        let text = format!("#!/bin/sh\nROOT={} LOG={}\n{script}\n", root.display(), log.display());
        let path = self.bin().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Debian's way to install, which leaves what the packages would have.
    fn has_apt(&self) -> &Machine {
        self.has(
            "apt-get",
            r#"echo "apt-get $*" >> "$LOG"
               for package; do case $package in
                   gcc) touch "${0%/*}/cc"; chmod 755 "${0%/*}/cc" ;;
                   libclang-dev)
                       mkdir -p "$ROOT/usr/lib/llvm-14/lib/clang/14/include"
                       touch "$ROOT/usr/lib/llvm-14/lib/libclang-14.so.1"
                       touch "$ROOT/usr/lib/llvm-14/lib/clang/14/include/stdbool.h" ;;
                   postgresql)
                       cat "$ROOT/etc/postgresql-common/createcluster.conf" >> "$LOG"
                       [ ! -e "$ROOT/usr/sbin/policy-rc.d" ] || echo "services are kept from starting" >> "$LOG"
                       mkdir -p "$ROOT/usr/lib/postgresql/15/bin"
                       for it in postgres initdb; do
                           printf '#!/bin/sh\necho "postgres (PostgreSQL) 15.3"\n' > "$ROOT/usr/lib/postgresql/15/bin/$it"
                           chmod 755 "$ROOT/usr/lib/postgresql/15/bin/$it"
                       done ;;
                   pgbouncer) touch "${0%/*}/pgbouncer"; chmod 755 "${0%/*}/pgbouncer" ;;
               esac; done"#,
        );
        symlink(found("cat"), self.bin().join("cat")).unwrap();
        self
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// What was asked of the commands that install.
    fn asked(&self) -> String {
        let asked = fs::read_to_string(self.log()).unwrap_or_default();
        let _ = fs::remove_file(self.log());
        asked
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(self.bin().join("sh"));
        command.arg(self.dir.path().join("setup.sh")).args(arguments).env_clear();
        command.env("PATH", self.bin()).env("HOME", self.dir.path());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

fn found(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places
        .iter()
        .map(|it| it.join(tool))
        .find(|it| Path::is_file(it))
        .unwrap_or_else(|| panic!("{tool} is missing"))
}

#[test]
fn what_is_missing_is_installed_and_nothing_twice() {
    let machine = Machine::new();
    machine.has("cargo", "").has("id", "echo 0").has_apt();
    let (done, said) = machine.run(&["test"]);
    assert!(done, "{said}");
    assert!(said.contains("setup: installing: gcc libc6-dev libclang-dev postgresql pgbouncer"), "{said}");
    let asked = machine.asked();
    assert!(asked.contains("create_main_cluster = false") && asked.contains("kept from starting"), "{asked}");
    assert!(!machine.dir.path().join("root/usr/sbin/policy-rc.d").exists(), "what was made for the while is gone");
    let settings = machine.dir.path().join("root/etc/postgresql-common/createcluster.conf");
    assert_eq!(fs::read_to_string(settings).unwrap(), "");
    assert_eq!(machine.run(&["test"]), (true, String::new()));
    assert_eq!(machine.run(&["build"]), (true, String::new()));
    assert_eq!(machine.asked(), "");
    let (_, place) = machine.run(&["where", "15"]);
    assert!(place.trim().ends_with("/usr/lib/postgresql/15/bin"), "{place}");
    fs::remove_file(machine.bin().join("pgbouncer")).unwrap();
    assert!(machine.run(&["build"]).0);
    assert_eq!(machine.asked(), "", "a first plan needs no pooler");
    assert!(machine.run(&["test"]).0);
    assert!(machine.asked().contains("install -q -y --no-install-recommends pgbouncer\n"));
}

#[test]
fn who_may_not_install_gets_the_line_to_type() {
    let machine = Machine::new();
    machine.has("cargo", "").has("id", "echo 1000").has_apt();
    let line =
        "sudo apt-get update && sudo apt-get install --no-install-recommends gcc libc6-dev libclang-dev postgresql";
    let (done, said) = machine.run(&["build"]);
    assert!(!done && said.contains(line), "{said}");
    machine.has("sudo", "exit 1");
    let (done, said) = machine.run(&["build"]);
    assert!(!done && said.contains(line), "a sudo that wants a password: {said}");
    assert_eq!(machine.asked(), "");
}

#[test]
fn other_systems_have_their_words() {
    let readme = include_str!("../README.md");
    for (manager, line) in [
        ("apt-get", "apt-get install gcc libc6-dev libclang-dev postgresql"),
        ("dnf", "dnf install gcc clang-devel postgresql-server postgresql-contrib"),
        ("apk", "apk add gcc musl-dev clang-dev clang-libclang postgresql postgresql-contrib"),
    ] {
        assert!(readme.contains(&format!("`{line}`")), "README.md has another line for {manager}");
        let machine = Machine::new();
        machine.has("cargo", "").has("id", "echo 1000").has(manager, "");
        let (done, said) = machine.run(&["build"]);
        assert!(!done && said.replace(" --no-install-recommends", "").contains(&format!("sudo {line}")), "{said}");
    }
    let machine = Machine::new();
    machine.has("cargo", "").has("id", "echo 0");
    let (done, said) = machine.run(&["build"]);
    assert!(
        !done && said.contains("missing: compiler, libclang, server; neither apt-get, dnf, apk nor brew"),
        "{said}"
    );
}

#[test]
fn without_cargo_nothing_else_is_asked_for() {
    let machine = Machine::new();
    machine.has("id", "echo 0").has_apt();
    let (done, said) = machine.run(&["build"]);
    assert!(!done && said.contains("cargo is missing; see https://rustup.rs"), "{said}");
    assert_eq!(machine.asked(), "");
    assert!(said.lines().count() == 1 && !machine.run(&["nonsense"]).0);
}
