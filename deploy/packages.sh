# packages.sh - what Bulkhead needs from Debian, by package name; sourced by deploy/demo and tests/run
#
# need PACKAGE...: install those that are missing (as root, or by sudo), and say so. Nothing is done when all are there.

build_packages="gcc cmake ninja-build pkg-config libc6-dev libzmq3-dev libmsgpack-dev libfyaml-dev libasound2-dev libncurses-dev libwebsockets-dev libsodium-dev check"
test_packages="python3 valgrind scdoc"
fuzz_packages="clang llvm libclang-rt-14-dev"
isolation_packages="spin"
peers_packages="obs-studio obs-plugins xvfb libgl1-mesa-dri"
guest_packages="qemu-system-x86 linux-image-amd64 busybox-static cpio xz-utils kmod alsa-utils"

say() {
	printf '%s\n' "$*"
}

need() {
	missing=
	for p in "$@"; do
		case "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" in
		*" installed") ;;
		*) missing="$missing $p" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	say "installing from Debian:$missing"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || {
			say "not root and no sudo: please run: apt-get install$missing" >&2
			return 1
		}
		as_root=sudo
	fi
	# An apt-get that waits for a question, or for another apt-get, would wait for ever in a script.
	if ! DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing >/tmp/bulkhead-apt.$$ 2>&1; then
		$as_root apt-get -o DPkg::Lock::Timeout=120 update >>/tmp/bulkhead-apt.$$ 2>&1
		DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing >>/tmp/bulkhead-apt.$$ 2>&1 || {
			tail -n 20 /tmp/bulkhead-apt.$$ >&2
			say "could not install:$missing" >&2
			return 1
		}
	fi
	rm -f /tmp/bulkhead-apt.$$
}

# build PRESET [--target TARGET]: configure and build, quietly unless it fails
build() {
	preset=$1 log=build/$1.log
	shift
	mkdir -p build
	if ! { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } >"$log" 2>&1; then
		tail -n 60 "$log" >&2
		say "the build of preset $preset failed; the whole log is in $log" >&2
		return 1
	fi
}
