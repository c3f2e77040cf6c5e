#!/bin/sh
# make install: what it leaves, what it refuses, what it takes away again.
. "$(dirname "$0")/../lib.sh"

# A tree and a build folder of our own, to be changed between two installs; made
# by somebody whose files nobody else can read.
umask 077
mkdir -p "$work/tree/scripts" "$work/build"
cp -R "$top/scripts/install" "$top"/scripts/*.rules "$top/scripts/plugins" \
	"$top/scripts/chains" "$work/tree/scripts/"
cp -R "$top/man" "$work/tree/"
printf '/var/mail home\n\nmore\n' >"$work/tree/conf-home"
cp -PR "$bin" "$work/build/bin"
destination="$work/a root"
home="$destination/var/mail home"

run() {
	output=$(BUILD=$work/build DESTDIR=$destination \
		sh "$work/tree/scripts/install" "$@" 2>&1)
	code=$?
}
picture() {
	(cd "$1" && find . -type f -exec sha256sum {} + -o -type l -print | sort)
}

# A first install, and a second one over it.
run install
is "$code" 0 "it installs into an empty DESTDIR whose name holds a blank"
for file in "$bin"/*; do
	cmp -s "$file" "$home/bin/${file##*/}" && continue
	not_ok "installed: ${file##*/}"
done
is "$(find "$home/bin" | wc -l)" "$(find "$bin" | wc -l)" "every program is there"
is "$(readlink "$home/bin/qmail-smtpd")" smtpd "qmail-smtpd stays a link to smtpd"
is "$(stat -c %a "$home/bin/smtpd")" 755 "a program can be run by all"
for page in "$top"/man/*.[1-8]; do
	cmp -s "$page" "$home/man/man${page##*.}/${page##*/}" && continue
	not_ok "installed: ${page##*/}"
done
is "$(stat -c %a "$home" "$home/bin" "$home/man/man7" | sort -u)" 755 "so can the folders"
is "$(stat -c %a "$home/man/man7/chainmail.7")" 644 "a page can be read by all"
for file in "$top"/scripts/plugins/*; do
	cmp -s "$file" "$home/plugins/${file##*/}" && continue
	not_ok "installed: ${file##*/}"
done
is "$(stat -c %a "$home/plugins/refuse-own-helo")" 755 "a plugin can be run by all"
for file in "$top"/scripts/chains/*; do
	sed 's|/var/qmail|/var/mail home|g' "$file" >"$work/chain"
	cmp -s "$work/chain" "$home/doc/chains/${file##*/}" && continue
	not_ok "installed: ${file##*/}"
done
is "$(stat -c %a "$home/doc/chains/clamd")" 755 "an example chain can be run by all"
same_file "$home/doc/big-senders.rules" "$top/scripts/big-senders.rules" \
	"the example of rules is there"
is "$(stat -c %a "$home/doc/big-senders.rules")" 644 "and can be read by all"
is "$(tcprules -n <"$home/doc/big-senders.rules" 2>&1)$?" 0 \
	"tcprules has nothing to say against it"
tcprules "$work/rules.cdb" "$work/rules.tmp" <"$home/doc/big-senders.rules"
is "$(TCPREMOTEIP=40.93.1.2 tcprulescheck "$work/rules.cdb")" "rule 40.92.0.0/15:
set environment variable JGREYLIST=
allow connection" "what it names is not greylisted"
is "$(TCPREMOTEIP=192.0.2.1 tcprulescheck "$work/rules.cdb")" "default:
allow connection" "and nothing else is touched"
is "$(find "$destination" -name '*.new.*')" "" "no temporary file is left"

exec 9<"$home/bin/smtpd"
cp "$home/bin/smtpd" "$work/before"
echo more >>"$work/build/bin/smtpd"
run install
is "$code" 0 "a newer version goes over our own"
same_file "$home/bin/smtpd" "$work/build/bin/smtpd" "the newer version is there"
cat <&9 >"$work/running"
same_file "$work/running" "$work/before" "whoever runs the old one keeps it whole"
exec 9<&-

# A program that the admin made set-user-id; only root can give it away.
other=$(id -u)
[ "$other" -ne 0 ] || other=65534
chown "$other" "$home/bin/qmail-queue"
chmod 4711 "$home/bin/qmail-queue"
echo more >>"$work/build/bin/qmail-queue"
run install
same_file "$home/bin/qmail-queue" "$work/build/bin/qmail-queue" "a program with rights of its own is replaced"
is "$(stat -c '%a %u' "$home/bin/qmail-queue")" "4711 $other" "and keeps its owner and mode"

# A file that another project, or the admin, put there.
echo theirs >"$home/bin/smtpd"
picture "$destination" >"$work/picture"
rm "$work/build/bin/recordio" 2>/dev/null
run install
is "$code" 1 "a program that someone else put there is not replaced"
like "$output" "bin/smtpd is not as chainmail installed it .FORCE=1" "it says which, and how"
picture "$destination" >"$work/picture.now"
same_file "$work/picture.now" "$work/picture" "nothing at all was changed"
FORCE=1 run install
is "$code" 0 "FORCE=1 installs"
same_file "$home/bin/smtpd" "$work/build/bin/smtpd" "FORCE=1 replaces it"

# Uninstalling.
echo theirs >"$home/bin/qmail-queue.theirs"
echo "the admin's own" >"$home/man/man7/chainmail.7"
run uninstall
is "$code" 0 "it uninstalls"
like "$output" "left: .*/man7/chainmail.7" "a changed file is left, and named"
is "$(cd "$home" && find . ! -type d | sort)" "./bin/qmail-queue.theirs
./man/man7/chainmail.7" "all else of ours is gone, nothing of theirs"
rm "$home/bin/qmail-queue.theirs" "$home/man/man7/chainmail.7"

rm -rf "$destination"
mkdir -p "$destination/var"
run install
run uninstall
is "$(find "$destination")" "$destination
$destination/var" "folders that it made are gone, others stay"
run uninstall
is "$code" 0 "a second uninstall finds nothing to do"

# Foreign from the start, and a folder in the way.
mkdir -p "$home/bin"
ln -s elsewhere "$home/bin/qmail-smtpd"
run install
is "$code" 1 "a link of another project is not replaced either"
is "$(find "$home" ! -type d)" "$home/bin/qmail-smtpd" "nothing was installed beside it"
rm "$home/bin/qmail-smtpd"
mkdir "$home/bin/smtpd"
FORCE=1 run install
is "$code" 1 "a folder in a program's place is not replaced, even by FORCE=1"
rmdir "$home/bin/smtpd"

rm -rf "$work/build/bin"
run install
is "$code" 1 "with nothing built it refuses"
like "$output" "make first" "and says what to do"
is "$(find "$home" ! -type d)" "" "and installs nothing"
run frobnicate
is "$code" 100 "an unknown command is wrong use"

done_testing
