#!/bin/sh
# jgreylist: a store that fails, contacts that meet, a kill at any moment, and
# what a contact costs.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"
need perl
TCPREMOTEIP=192.0.2.7
export TCPREMOTEIP
entry=192/000/002

# --- contacts that meet
# at_once COUNT FORMAT: so many contacts that begin at the same time, FORMAT is
# what the address of each is made from; the log is in $work/log.
cat >"$work/at_once" <<'EOP'
use strict;
my ($count, $format) = @ARGV;
pipe my $gate, my $opener or die;
for my $i (0 .. $count - 1) {
	next if fork;
	close $opener;
	$ENV{TCPREMOTEIP} = sprintf $format, $i / 250, $i % 250;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', '/dev/null';
	sysread $gate, my $byte, 1;
	exec 'jgreylist', 'true';
}
close $gate;
close $opener;
my $bad = 0;
while (wait > 0) { $bad++ if $? }
exit $bad > 0;
EOP
at_once() {
	perl "$work/at_once" "$@" 2>"$work/log"
}
many=500
[ -z "${SANITIZE:-}" ] || many=50
code=0
at_once $many 192.0.2.%2\$d || code=$?
is "$code $(wc -l <"$work/log")" "0 $many" \
	"$many first contacts of one network at once: each has a verdict"
is "$(grep -c 'GREY first time$' "$work/log")" 1 'one is the first'
is "$(grep -c 'GREY too soon$' "$work/log")" $((many - 1)) 'all others too soon'
is "$(the_store | tail -n 1)" "$entry 0600 f" 'there is one entry'
read_times $entry
is_recent "$first" 'with the time of the first contact'
is "$((last - first <= 60 && last >= first))" 1 'and of the last one'
empty_the_store
code=0
at_once $many 10.0.%d.%d || code=$?
is "$code $(grep -c GREY "$work/log")" "0 $many" \
	"$many of few networks at once: each has a verdict"
is "$(grep -c 'first time' "$work/log")" "$(find "$store" -type f | wc -l)" \
	'as many first ones as entries'
empty_the_store
code=0
at_once $many 10.%d.%d.1 || code=$?
is "$code $(grep -c 'first time$' "$work/log")" "0 $many" \
	"$many of as many networks at once: each is a first one"
is "$(find "$store" -type f | wc -l)" $many 'and has its entry'

# Whatever removes entries and folders meanwhile: a verdict for each.
empty_the_store
perl -e 'while (1) { for my $d (glob "$ARGV[0]/*") {
	unlink glob "$d/*/*"; rmdir for glob "$d/*"; rmdir $d } }' "$store" &
remover=$!
started=$remover
code=0
at_once $many 192.0.2.%2\$d || code=$?
stop $remover
is "$code $(grep -Ec 'GREY (first time|too soon)$' "$work/log")" "0 $many" \
	'while somebody removes all he finds: each has a verdict'

# --- a store that fails
# failing NAME CAUSE COMMAND…: jgreylist under it lets the client in, or with
# FAIL=tempfail does not. The cause is a regular expression: some are in libc's
# words.
failing() {
	failing_name=$1
	cause=$2
	shift 2
	code=0
	"$@" jgreylist echo let in <"$work/client" >"$work/out" 2>"$work/err" ||
		code=$?
	like "$code|$(sed -n 's/^jgreylist\[[0-9]*\]: //p' "$work/err")|$(cat "$work/out")" \
		"^0\\|192\\.0\\.2\\.7: OK store failed: $cause\\|let in\$" \
		"$failing_name: in"
	code=0
	JGREYLIST_FAIL=tempfail JGREYLIST_LOG=0 "$@" jgreylist echo let in \
		<"$work/client" >"$work/out" 2>"$work/err" || code=$?
	like "$code|$(sed -n 's/^jgreylist\[[0-9]*\]: //p' "$work/err")|$(sed -n 2p \
		"$work/out" | tr -d '\r')" \
		"^0\\|192\\.0\\.2\\.7: GREY store failed: $cause\\|450 GREYLIST Try again later\\.\$" \
		"$failing_name: FAIL=tempfail refuses, and LOG=0 hides no failure"
}
# injected CALLS ERROR CAUSE: a system call on the store fails so
injected() {
	failing "$1: $2" "$3" strace -o /dev/null -P "$store" -P "$store/192" \
		-P "$store/192/000" -P "$store/$entry" -e "inject=$1:error=$2"
}
if is_plain 'a store that fails' && can_trace 'a store that fails'; then
	empty_the_store
	look=lstat,newfstatat,statx
	injected $look EIO 'input/output error'
	injected $look ENOMEM 'out of memory'
	for make in openat mkdir; do
		empty_the_store
		injected $make EIO 'input/output error'
		injected $make ENOSPC 'out of disk space'
		injected $make EROFS '[Rr]ead-only file system'
		is "$(find "$store" -type f)" '' 'and there is no entry'
	done
	injected mkdir EDQUOT '.*[Qq]uota exceeded'
	injected openat EMFILE '.*(files|descriptors).*'
	from 192.0.2.7
	injected $look EIO 'input/output error'
	age $entry 200
	strace -o /dev/null -P "$store/$entry" -e inject=utimensat:error=EIO \
		jgreylist echo let in >"$work/out" 2>"$work/err" </dev/null
	is "$(cat "$work/out")|$(sed 's/^[^ ]* //' "$work/err")" \
		'let in|warning: 192.0.2.7: unable to note the contact: input/output error
192.0.2.7: OK known' 'a contact that cannot be noted: said, and in'
	strace -o /dev/null -P "$store/$entry" -e inject=utimensat:error=ENOENT \
		jgreylist echo let in >"$work/out" 2>"$work/err" </dev/null
	is "$(cat "$work/out")|$(sed 's/^[^ ]* //' "$work/err")" \
		'let in|192.0.2.7: OK known' \
		'an entry that goes before it is noted: still known'
fi
empty_the_store
mkdir -p "$store/$entry"
failing 'a folder where the entry should be' 'is a directory' env
empty_the_store
mkdir -p "$store/192"
: >"$store/192/000"
failing 'a file where a folder should be' 'not a directory' env
empty_the_store
mkdir -p "$store/192/000"
ln -s "$work/client" "$store/$entry"
failing 'a symbolic link where the entry should be' '[Ii]nvalid argument' \
	env
empty_the_store

# A small file system of its own: root's, or ours in a name space of its own.
alone='unshare --mount'
[ "$(id -u)" -eq 0 ] || alone="$alone --map-root-user"
# on_small_disk OPTIONS COMMANDS NAME…: jgreylist with a new tmpfs as its store,
# after the commands; $verdict and $reply.
on_small_disk() {
	cat >"$work/small" <<EOP
set -e
mount -t tmpfs -o "$1,mode=700" none "$store"
cd "$store"
$2
exec jgreylist echo let in <"$work/client"
EOP
	code=0
	# shellcheck disable=SC2086 # a command's words
	$alone sh "$work/small" >"$work/out" 2>"$work/err" || code=$?
	verdict=$(sed -n 's/^jgreylist\[[0-9]*\]: //p' "$work/err")
	reply=$(grep -v '^2' "$work/out" | tr -d '\r')
}
# shellcheck disable=SC2086 # a command's words
if $alone mount -t tmpfs none "$store" 2>/dev/null; then
	on_small_disk size=16k \
		'cat /dev/zero >file 2>/dev/null || :'
	like "$code|$verdict|$reply" \
		'^0\|192\.0\.2\.7: (GREY first time\|450 GREYLIST Try again later\.|OK store failed: out of disk space\|let in)$' \
		'a full disk: an empty file may still find room'
	on_small_disk nr_inodes=2 ': >file'
	is_let_in '192.0.2.7: OK store failed: out of disk space' \
		'no inodes: in'
	on_small_disk nr_inodes=3 ':'
	is_let_in '192.0.2.7: OK store failed: out of disk space' \
		'inodes for the folders alone: in'
	on_small_disk size=1m "mount -o remount,bind,ro '$store'"
	like "$verdict|$reply" '^192\.0\.2\.7: OK store failed: [Rr]ead-only file system\|let in$' \
		'a read-only file system: in'
	on_small_disk size=1m "mkdir -p 192/000; touch -d @0 $entry
		mount -o remount,bind,ro '$store'"
	is "$code|$(printf '%s\n' "$verdict" | tail -n 1)|$reply" \
		'0|192.0.2.7: OK known|let in' 'a known client there: known'
else
	skip 'no mounts here' 'small file systems'
fi

# --- killed at any moment
# moments: the system calls of a contact up to its end or the next program, each
# with how many of its name there have been: what strace's inject counts.
moments() {
	strace -o "$work/trace" jgreylist true </dev/null >/dev/null 2>&1
	sed '1d; /^execve/,$d; /^[a-z]/!d; s/(.*//' "$work/trace" |
		awk '{ print $1 " " ++n[$1] }'
}
# killed_at CALL COUNT
killed_at() {
	(strace -o "$work/trace" -e "inject=$1:signal=KILL:when=$2" \
		jgreylist true </dev/null >/dev/null 2>&1; :) 2>/dev/null
	grep -q 'killed by SIGKILL' "$work/trace" || waited_in_vain "$1 $2"
}
if is_plain 'killed at any moment' && can_trace 'killed at any moment'; then
	empty_the_store
	moments >"$work/moments"
	strange=
	while read -r call n; do
		empty_the_store
		killed_at "$call" "$n"
		found=$(the_store | tr '\n' ' ')
		case $found in
		''|'192 0700 d '|'192 0700 d 192/000 0700 d ') now_is='first time' ;;
		"192 0700 d 192/000 0700 d $entry 0600 f ") now_is='too soon' ;;
		*) now_is='something else' ;;
		esac
		from 192.0.2.7
		[ "$verdict" = "192.0.2.7: GREY $now_is" ] ||
			strange="$strange$call $n: $found, then $verdict
"
	done <"$work/moments"
	is "$strange" '' \
		"killed at each of $(wc -l <"$work/moments") system calls: an entry, or none"
	is "$(grep -Ec '^(mkdir|openat|write) ' "$work/moments" |
		awk '{ print ($1 >= 4) }')" 1 'those that make it are among them'
	age $entry 3000
	moments >"$work/moments"
	strange=
	while read -r call n; do
		age $entry 3000
		killed_at "$call" "$n"
		read_times $entry
		from 192.0.2.7
		[ "$((last >= first))$verdict" = '1192.0.2.7: OK known' ] ||
			strange="$strange$call $n: $verdict
"
	done <"$work/moments"
	is "$strange" '' \
		"a known client, at each of $(wc -l <"$work/moments"): known the next time"
fi

# --- what it costs
# calls: what the last trace has between the start of libc and the next program
calls() {
	sed '1d; /^execve/,$d; s/(.*//; s/^newfstatat$/lstat/' "$work/trace" |
		grep -v '^arch_prctl$\|^set_tid_address$' | tr '\n' ' '
}
name='a known client'
if is_plain "$name" && can_trace "$name"; then
	empty_the_store
	from 192.0.2.7
	age $entry 3000 10
	strace -o "$work/trace" jgreylist /bin/true </dev/null 2>/dev/null
	if is_dynamic "$bin/jgreylist"; then
		skip 'libc has calls of its own' "$name costs a stat"
	else
		is "$(calls)" 'getpid clock_gettime lstat write ' \
			"$name costs a stat, and a line"
		age $entry 3000
		strace -o "$work/trace" jgreylist /bin/true </dev/null 2>/dev/null
		is "$(calls)" 'getpid clock_gettime lstat utimensat write ' \
			'and a note, each minute'
		JGREYLIST_LOG=0 JGREYLIST_LOG_PID=0 strace -o "$work/trace" \
			jgreylist /bin/true </dev/null
		is "$(calls)" 'clock_gettime lstat ' 'without a log a stat alone'
	fi
fi
done_testing
