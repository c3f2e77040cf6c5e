#!/bin/sh
# qmail-queue: what it stores, byte for byte, where, in which order, and what it
# answers.
# SPDX-License-Identifier: ISC
[ "$(id -u)" -ne 0 ] || [ "${OWN_MOUNTS:-}" ] || ! unshare -m true 2>/dev/null ||
	OWN_MOUNTS=1 exec unshare -m "$0"
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/queue.sh"
unset ERROR_FD TMPDIR CONTROLDIR
export QUEUEDIR="$work/queue"
me=$(id -u)

# --- one message
make_queue queue
message 'Subject: hello' '' 'first' '.second' ''
envelope s@example.org r@example.org q@example.org
umask 077
run qmail-queue
umask 022
is "$code" 0 'a message is taken'
is "$(cat "$work/log" "$work/text")" '' 'not a word about it'
is "$(all_files queue) $(in_queue queue mess todo)" '2 2' 'it is two files'
id=$(the_id queue)
file=$work/queue/mess/$((id % 23))/$id
is "$(stat -c '%i %a %F %h' "$file")" "$id 644 regular file 1" 'mess/N%23/N is inode N, with mode 644'
is "$(stat -c '%a %F %h' "$work/queue/todo/$id")" '644 regular file 1' 'todo/N has it, too'
like "$(head -n 1 "$file")" "^Received: \\(qmail [0-9]+ invoked by uid $me\\); [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} -0000\$" 'Received'
sed 1d "$file" >"$work/got"
same_file "$work/got" "$work/message" 'then the message, byte for byte'
pid=$(sed -n '1s/.*(qmail \([0-9]*\) .*/\1/p' "$file")
printf 'u%d\0p%d\0Fs@example.org\0Tr@example.org\0Tq@example.org\0' "$me" "$pid" >"$work/wanted"
same_file "$work/queue/todo/$id" "$work/wanted" 'todo/N, byte for byte'
sh -c 'echo $$ >"$1/pid"; exec qmail-queue <"$1/message" 1<"$1/envelope"' sh "$work"
is "$?$(grep -l "(qmail $(cat "$work/pid") " "$work"/queue/mess/*/* | wc -l)" 01 'the pid is that of the process'

# --- bytes of all kinds
bytes() {
	make_queue queue
	run qmail-queue
	is "$code $(stored queue) $(all_files queue)" '0 1 2' "$1: unchanged"
}
: >"$work/message"
bytes 'no byte at all'
head -c 70000 /dev/urandom >"$work/message"
bytes '70,000 bytes of anything'
printf 'no line end' >"$work/message"
bytes 'a last line without its end'
printf 'a\0b\r\n\0\n' >"$work/message"
bytes 'NULs and CRs'
envelope '' ''
bytes 'empty addresses'
envelope '#@[]' 'list-@host-@[]'
bytes 'odd addresses'
envelope s@x
bytes 'no recipient'
long=$(printf '%01002d' 0)
envelope "$long" "$long"
bytes 'addresses of 1002 bytes'
# shellcheck disable=SC2046 # a word each
envelope s@x $(seq 1 20000)
bytes 'twenty thousand recipients'
envelope s@x r@x

# --- from a pipe, and long
piped() {
	make_queue queue
	cat "$work/message" | qmail-queue 1<"$work/envelope" 2>"$work/log"
}
for size in 1048575 1048576 1048577 5000000; do
	seq 1 1000000 | head -c "$size" >"$work/message"
	piped
	is "$? $(stored queue) $(all_files queue)" '0 1 2' "$size bytes from a pipe"
done
TMPDIR=$work/nowhere piped
is "$? $(stored queue)" '0 1' 'a long one needs no folder for temporary files'
can_trace 'it is written once' && is_plain 'it is written once' && {
	make_queue queue
	cat "$work/message" | strace -y -o "$work/trace" -e trace=splice,write,pwrite64,writev,sendfile,copy_file_range \
		qmail-queue 1<"$work/envelope"
	is "$(sed -n 's/^[a-z0-9]*(.*\(mess\).*= \([0-9]*\)$/\1 \2/p' "$work/trace" | awk '{ n += $2 } END { print n }')" \
		"$(stat -c %s "$work"/queue/mess/*/*)" 'a long one is written once, into its file'
}
printf 'XXXX' | cat - "$work/message" >"$work/offset"
make_queue queue
(
	dd bs=1 count=4 of=/dev/null 2>/dev/null
	qmail-queue 1<"$work/envelope"
) <"$work/offset"
is "$? $(stored queue)" '0 1' 'a file that has been read in part: the rest'
is_plain '100 MB' && {
	seq 1 13000000 | head -c 104857600 >"$work/message"
	make_queue queue
	if is_dynamic "$bin/qmail-queue"; then skip 'linked dynamically' 'in less than 8 MB of memory'
	else
		(ulimit -v 8000 && piped)
		is "$? $(stored queue)" '0 1' '100 MB in less than 8 MB of memory'
	fi
}
message 'Subject: short' '' 'text'

# --- the queue's form
for split in 1 2 23 401; do
	make_queue queue -s $split
	for i in 1 2 3; do run qmail-queue; done
	is "$code $(stored queue)" '0 3' "a split of $split"
	make_queue queue -s $split -b
	for i in 1 2 3; do run qmail-queue; done
	is "$code $(stored queue)" '0 3' "a split of $split, and big-todo"
	is "$(for file in "$work"/queue/todo/*/*; do
		folder=${file%/*}
		[ $((${file##*/} % split)) -eq "${folder##*/}" ] && echo right
	done | wc -l)" 3 'todo/ is split in the same way'
done
make_queue queue
mkdir "$work/queue/mess/lost+found" "$work/queue/mess/x"
for i in 1 2 3; do run qmail-queue; done
rmdir "$work/queue/mess/lost+found" "$work/queue/mess/x"
is "$code $(stored queue)" '0 3' 'a folder that is no part of it does not count'
make_queue queue
# Whatever inode comes: not by the wrong divisor.
rmdir "$work/queue/mess/3"
for i in 1 2 3 4 5 6 7; do
	run qmail-queue
	case $code in 0 | 64) ;; *) not_ok "exit $code" ;; esac
done
mkdir "$work/queue/mess/3"
unlike "$(stored queue)" broken 'nor one that is missing'
make_queue queue
(cd "$work" && QUEUEDIR=queue run qmail-queue)
is "$(stored queue)" 1 'QUEUEDIR may be relative'

# --- names that are taken
# An inode that was just freed is given again, on most file systems.
taken() {
	make_queue queue
	run qmail-queue
	first=$(the_id queue)
	rm "$work/queue/mess/$((first % 23))/$first"
	echo stale >"$work/stale"
	for id in $(seq $((first - 3)) $((first + 8))); do
		case $1 in
		todo) ln -f "$work/stale" "$work/queue/todo/$id" ;;
		mess) ln "$work/stale" "$work/queue/mess/$((id % 23))/$id" ;;
		esac
	done
	[ "$1" = todo ] || rm "$work/queue/todo/$first"
	code=0
	strace -o "$work/trace" qmail-queue <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
	births=$(grep -c '"mess".*TMPFILE' "$work/trace")
	find "$work/queue" -samefile "$work/stale" -delete
}
can_trace 'names that are taken' && is_plain 'names that are taken' && {
	for folder in todo mess; do
		taken $folder
		if [ "$births" -gt 1 ]; then
			is "$code $(stored queue) $(all_files queue)" '0 1 2' "a stale file in $folder: another inode ($births)"
			is "$(cat "$work/stale")" stale 'which is left alone'
		else skip 'the inode did not come again' "a stale file in $folder"; fi
	done
}

# --- exit codes
fails() {
	make_queue queue
	wanted=$1 fails=$2
	shift 2
	run "${@:-qmail-queue}"
	is "$code $(all_files queue)" "$wanted 0" "$fails: $wanted"
}
bad() {
	printf "$1" >"$work/envelope"
	fails "$2" "envelope $1" qmail-queue
}
for cut in '' F Fs 'Fs\0' 'Fs\0T' 'Fs\0Tr' 'Fs\0Tr\0'; do
	bad "$cut" 54
	is "$(cat "$work/log")" '' "envelope $cut: no word in the log"
done
bad 'xs\0Tr\0\0' 91
bad 'Fs\0Xr\0\0' 91
envelope "${long}0" r
fails 11 'a sender of 1003 bytes' qmail-queue
envelope s "${long}0"
fails 11 'an address of 1003 bytes' qmail-queue
perl -e 'print "Fs\0", "T", "r" x 99, "\0" for 1 .. 45000' >"$work/envelope"
fails 53 'an envelope of 4.5 MB' qmail-queue
perl -e 'print "Fs\0"; print "T", "r" x 99, "\0" for 1 .. 30000; print "\0"' >"$work/envelope"
no_memory() { ulimit -v 5000 && exec qmail-queue; }
is_plain 'no memory' && ! is_dynamic "$bin/qmail-queue" && fails 51 'no memory' no_memory
envelope s@x r@x
fails 100 'a word too many' qmail-queue more
QUEUEDIR=$work/nowhere
fails 62 'a queue that is not there' qmail-queue
is "$(cat "$work/log")" "qmail-queue: fatal: cannot enter $work/nowhere: file does not exist" 'the log says so'
mkdir "$work/nowhere"
fails 62 'a folder that is no queue' qmail-queue
mkdir "$work/nowhere/mess" "$work/nowhere/todo"
fails 62 'a queue without folders for messages' qmail-queue
rm -r "$work/nowhere"
QUEUEDIR=$work/queue
is_user 'folders that are not ours' && {
	make_queue queue
	chmod 500 "$work/queue/mess" "$work/queue/pid"
	run qmail-queue
	is "$code" 63 'no right to write into mess/: 63'
	chmod 700 "$work"/queue/mess "$work/queue/pid"
	chmod 500 "$work"/queue/mess/*
	run qmail-queue
	is "$code $(in_queue queue mess todo)" '64 0' 'nor into the folders in it: 64'
	chmod 700 "$work"/queue/mess/*
	chmod 500 "$work/queue/todo"
	run qmail-queue
	is "$code $(in_queue queue mess todo)" '65 0' 'nor into todo/: 65'
	chmod 700 "$work/queue/todo"
}
# injected CODE NAME OPTION…: strace lets a call fail
injected() {
	wanted=$1 name=$2
	shift 2
	fails "$wanted" "$name" strace -f -o "$work/trace" "$@" qmail-queue
}
can_trace 'failures of calls' && is_plain 'failures of calls' && {
	QUEUEDIR=
	injected 61 'no home' -e inject=chdir:error=ENOENT
	injected 62 'no queue in the home' -e inject=chdir:error=ENOENT:when=1 -e inject=chdir:retval=0:when=2
	QUEUEDIR=$work/queue
	injected 63 'no file for the message' -e inject=openat:error=ENOSPC:when=1
	like "$(cat "$work/log")" '^qmail-queue: fatal: cannot create a file in mess or pid: out of disk space$' 'the log says so'
	injected 64 'no name for it' -e inject=linkat:error=ENOSPC:when=1
	injected 65 'no file for the envelope' -e inject=openat:error=ENOSPC:when=2
	injected 66 'no name for it' -e inject=linkat:error=ENOSPC:when=2
	injected 53 'a write that fails' -e inject=writev:error=EIO:when=1
	injected 53 'another write that fails' -e inject=writev:error=ENOSPC:when=2
	injected 54 'an envelope that cannot be read' -e inject=read:error=EIO
	make_queue queue
	cat "$work/message" | strace -f -o "$work/trace" -e inject=read:error=EIO qmail-queue 1<"$work/envelope" 2>"$work/log"
	is "$? $(all_files queue) $(cat "$work/log")" '54 0 ' 'a message that cannot be read: 54'
}

# --- without nameless files, and without /proc on an old kernel
old_way() {
	make_queue queue "$@"
	run strace -o "$work/trace" -e inject=openat:error=EOPNOTSUPP:when=1..3+2 qmail-queue
}
can_trace 'the old way' && is_plain 'the old way' && {
	old_way
	id=$(the_id queue)
	is "$code $(stored queue)" '0 1' 'no nameless files: taken'
	is "$(all_files queue) $(stat -c '%h %a' "$work/queue/intd/$id" "$work/queue/mess/$((id % 23))/$id" | tr '\n' ' ')" \
		'3 2 644 1 644 ' 'by way of pid/ and intd/'
	old_way -b
	is "$code $(stored queue) $(in_queue queue "intd/$(($(the_id queue) % 23))")" '0 1 1' 'with big-todo, too'
	seq 1 1000000 | head -c 3000000 >"$work/message"
	make_queue queue
	cat "$work/message" | strace -o "$work/trace" -e inject=openat:error=EOPNOTSUPP:when=1..3+2 \
		qmail-queue 1<"$work/envelope"
	is "$? $(stored queue) $(in_queue queue pid)" '0 1 0' 'a long message, too'
	make_queue queue
	cat "$work/message" | strace -o "$work/trace" -e inject=linkat:error=ENOENT:when=1..2 \
		qmail-queue 1<"$work/envelope"
	is "$? $(stored queue) $(all_files queue)" '0 1 2' 'no name for a nameless file: another file with one'
	message short
	make_queue queue
	run strace -o "$work/trace" -e inject=linkat:error=ENOENT:when=1 qmail-queue
	is "$code $(stored queue) $(all_files queue)" '0 1 2' 'an older kernel: by its name in /proc'
	# intd/N of somebody who is dead
	make_queue queue
	run strace -o "$work/trace" -e inject=openat:error=EOPNOTSUPP:when=1..3+2 -e inject=linkat,link:signal=KILL:when=2 qmail-queue
	find "$work/queue/mess" -type f -delete
	is "$code $(in_queue queue intd todo)" '137 1' 'killed between intd/ and todo/'
	for id in $(seq $(($(find "$work/queue/intd" -type f | sed 's,.*/,,') - 3)) $(($(find "$work/queue/intd" -type f | sed 's,.*/,,') + 5))); do
		[ -e "$work/queue/intd/$id" ] || echo stale >"$work/queue/intd/$id"
	done
	run strace -o "$work/trace" -e inject=openat:error=EOPNOTSUPP:when=1..3+2 qmail-queue
	is "$code $(stored queue)" '0 1' 'a stale intd/N gives way'
}

# --- descriptors that are not there
make_queue queue
without() {
	code=0
	"$@" 2>/dev/null || code=$?
	is "$code $(all_files queue)" '54 0' "$closed: 54, and nothing is stored"
}
closed='without descriptor 0'
without sh -c 'exec qmail-queue <&- 1<"$1"' sh "$work/envelope"
closed='without descriptor 1'
without sh -c 'exec qmail-queue <"$1" 1>&-' sh "$work/message"
closed='without both'
without sh -c 'exec qmail-queue <&- 1>&-'
code=0
qmail-queue <"$work/message" 1<"$work/envelope" 2>&- || code=$?
is "$code $(stored queue)" '0 1' 'without a log: taken, and no line of it in the message'
code=0
qmail-queue <"$work/message" 1<"$work/envelope" 2>&- 3>&- 4>&- 6>&- || code=$?
is "$code $(stored queue)" '0 2' 'without any other one: taken'

# --- signals
mkfifo "$work/fifo"
start_waiting() {
	make_queue queue
	qmail-queue <"$work/message" 1<"$work/fifo" 2>"$work/log" &
	pid=$!
	started="$started $pid"
	exec 9>"$work/fifo"
	# An alarm, and SIGSYS, the last one that is caught
	wait_until grep -q '^SigCgt:.*4.*2[0-9a-f]*$' "/proc/$pid/status"
	grep -q '^SigBlk:.*3025007' "/proc/$pid/status" || true
}
ended() {
	exec 9>&-
	code=0
	wait "$pid" 2>/dev/null || code=$?
}
start_waiting
kill -ALRM "$pid"
ended
is "$code $(all_files queue)" '52 0' 'the alarm after a day: 52'
is_plain 'signals of bugs' && for bug in ILL ABRT FPE BUS SEGV SYS; do
	start_waiting
	kill -$bug "$pid"
	ended
	is "$code $(in_queue queue todo)" '81 0' "SIG$bug: 81"
done
start_waiting
for other in HUP INT QUIT PIPE XFSZ XCPU VTALRM PROF; do kill -$other "$pid"; done
cat "$work/envelope" >&9
ended
is "$code $(stored queue)" '0 1' 'other signals are let pass'
is_plain 'limits on files' && {
	seq 1 1000000 | head -c 3000000 >"$work/message"
	limited() { ulimit -f 100 && exec qmail-queue; }
	fails 53 'a limit on files' limited
	like "$(cat "$work/log")" '^qmail-queue: fatal: cannot write mess/[0-9]*/[0-9]*: ' 'the log says so'
	make_queue queue
	code=0
	cat "$work/message" 2>/dev/null | (ulimit -f 100 && exec qmail-queue) 1<"$work/envelope" 2>"$work/log" || code=$?
	is "$code $(all_files queue)" '53 0' 'a limit on files, from a pipe'
	is_here softlimit 'softlimit -f' &&
		fails 53 'softlimit -f' softlimit -f 100000 qmail-queue
	few() { ulimit -n 4 && exec qmail-queue; }
	message short
	fails 65 'too few descriptors' few
}

# --- the trigger
make_queue queue
message short
exec 8<>"$work/queue/lock/trigger"
run qmail-queue 8>&-
is "$code $(dd bs=10 count=1 <&8 2>/dev/null | od -An -tx1)" '0  00' 'one byte wakes qmail-send'
dd if=/dev/zero of="$work/queue/lock/trigger" oflag=nonblock bs=4096 2>/dev/null
run timeout 20 qmail-queue
is "$code" 0 'a trigger that is full is no reason to wait'
exec 8>&-
rm "$work/queue/lock/trigger"
run qmail-queue
is "$code $(stored queue)" '0 3' 'nor one that is not there'

# --- the order
# One letter a call: writes, begins, waits for files; m and t for the names, F for
# a sync of a file, M and T for the folders', e for the end.
steps() {
	sed -n -e 's/^[0-9]* *//' \
		-e '/^p*writev*\(64\)*(.*\(mess\|todo\)/s/.*/w/p' \
		-e '/^sync_file_range(.*WAIT_AFTER) *= 0/s/.*/d/p' \
		-e '/^link.*"mess.*= 0/s/.*/m/p' \
		-e '/^link.*"todo.*= 0/s/.*/t/p' \
		-e '/^fsync([0-9]*<.*\/todo>) *= 0/s/.*/T/p' \
		-e '/^fsync([0-9]*<.*\/mess\/[0-9]*>) *= 0/s/.*/M/p' \
		-e '/^fsync(.*= 0/s/.*/F/p' \
		-e '/^write([0-9]*<.*trigger/s/.*/!/p' \
		-e '/^exit_group(0)/s/.*/e/p' "$work/trace" | tr -d '\n'
}
# order NAME WANTED WHERE [OPTION…]
order() {
	ordered=$1 wanted=$2 where=$3
	shift 3
	make_queue "$ordered"
	exec 8<>"$work/$ordered/lock/trigger"
	cat "$work/message" | QUEUEDIR=$work/$ordered strace -y -o "$work/trace" "$@" \
		qmail-queue 1<"$work/envelope" 2>"$work/log"
	is "$? $(steps)" "0 $wanted" "$where"
	exec 8>&-
}
can_trace 'the order' && {
	order queue wmwFFMtFT!e 'anywhere: files, folder, the name, the file again, its folder, trigger, end' \
		-e inject=statfs:error=EPERM
	at_once='ext4 with a journal: data, both names, syncs, trigger, end'
	if queue_is_on queue 'ext4 with a journal'; then order queue wmwddtFFT!e "$at_once"
	elif mount_ext4 mnt; then order mnt/queue wmwddtFFT!e "$at_once"
	else skip 'no ext4 with a journal' "$at_once"; fi
	names='ext4 without one: a file, data, the name, its file and folder, trigger, end'
	if queue_is_on queue 'ext4 with a journal' || ! queue_is_on queue ext4; then skip 'no such ext4' "$names"
	else order queue wmwFdtFT!e "$names"; fi
	# Somebody else's kernel may not say.
	order queue wmwFFMtFT!e 'where nothing can be told: as anywhere' -e inject=readlink:error=ENOENT
}

# --- the count
is_plain 'the count' && can_trace 'the count' && {
	if is_dynamic "$bin/qmail-queue"; then skip 'linked dynamically' 'the count'
	else
		cat "$work/message" | strace -o "$work/trace" qmail-queue 1<"$work/envelope"
		calls=$(grep -c '(.*= ' "$work/trace")
		echo "# system calls of qmail-queue: $calls"
		[ "$calls" -le 58 ]
		is $? 0 'at most 58 system calls for a message'
		mkdir "$work/control"
		echo example.org >"$work/control/me"
		printf '%s\r\n' 'HELO x' 'MAIL FROM:<s@x>' 'RCPT TO:<r@example.org>' DATA 'Subject: x' '' text . QUIT |
			env CONTROLDIR="$work/control" RELAYCLIENT='' TCPREMOTEIP=127.0.0.1 QMAILQUEUE="$bin/qmail-queue" \
				strace -f -o "$work/trace" smtpd >"$work/out" 2>"$work/log"
		like "$(cat "$work/out")" '^250 ok [0-9]* qp' 'through smtpd: taken'
		calls=$(sed -n '/read(0, "HELO/,/write(1, "250 /p' "$work/trace" | grep -c '^[0-9]* *[a-z_0-9]*(')
		echo "# system calls of smtpd and qmail-queue for a message: $calls"
		[ "$calls" -gt 50 ] && [ "$calls" -lt 130 ]
		is $? 0 'less than 130 for a message with smtpd'
	fi
}

# --- many at once
make_queue queue
pids=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	(echo "message $i" | qmail-queue 1<"$work/envelope" 2>>"$work/many") &
	pids="$pids $!"
done
started="$started $pids"
failures=0
for pid in $pids; do wait "$pid" || failures=$((failures + 1)); done
is "$failures $(cat "$work"/queue/mess/*/* | sed -n 's/^message //p' | sort -n | uniq | wc -l) $(in_queue queue todo)" \
	'0 20 20' 'twenty at once: all taken, and each its own'

# --- set-user-id
# Its home is a new one, over /var, which nobody else sees.
is_plain 'set-user-id' && is_root 'set-user-id' && if unshare -m true 2>/dev/null; then
	cat >"$work/setuid.sh" <<'END'
set -e
mount -t tmpfs -o mode=755 tmpfs /var
home=$(strings -n 8 "$2/qmail-queue" | sed -n 's,^\(/.*\)/queue$,\1,p' | head -n 1)
case $home in /var/*) ;; *) exit 77 ;; esac
mkdir -p "$home/bin" /var/other
cp "$2/qmail-queue" "$home/bin/"
chown 12001 "$home/bin/qmail-queue"
chmod 4711 "$home/bin/qmail-queue"
"$2/queue-check" -u 12001:12002 "$home/queue" >/dev/null
"$2/queue-check" -u 12003 /var/other >/dev/null
printf '%s\n' root:x:0:0::/: qmailq:x:12001:12002::/: qmaild:x:12003:1::/: \
	qmails:x:12004:1::/: alias:x:12005:1::/: other:x:12006:1::/: >/var/passwd
mount --bind /var/passwd /etc/passwd
for user in 12003 12004 12005 12006; do
	setpriv --reuid=$user --regid=12009 --clear-groups env QUEUEDIR=/var/other \
		"$home/bin/qmail-queue" <"$1/message" 1<"$1/envelope" || echo "exit $?"
done
find /var/other -type f ! -path '*/lock/*' -printf 'in QUEUEDIR\n'
for file in $(find "$home/queue/todo" -type f); do
	id=${file##*/}
	mess=$home/queue/mess/$((id % 23))/$id
	echo "$(sed -n '1s/.*invoked \(.*\));.*/\1/p' "$mess") $(tr '\0' ' ' <"$file" | cut -d' ' -f1) $(stat -c '%u %a' "$mess" "$file" | tr '\n' ' ')"
done | sort
END
	is_here strings 'set-user-id' && is_here setpriv 'set-user-id' && {
		unshare -m sh "$work/setuid.sh" "$work" "$bin" >"$work/out" 2>&1
		code=$?
		if [ $code -eq 77 ]; then skip 'the home is not below /var' 'set-user-id'
		else
			is "$code $(cat "$work/out")" '0 by alias u12005 12001 644 12001 644 
by uid 12006 u12006 12001 644 12001 644 
for bounce u12004 12001 644 12001 644 
from network u12003 12001 644 12001 644 ' 'set-user-id: QUEUEDIR does not count, files are qmailq'\''s, and users have names'
		fi
	}
else skip 'no mounts' 'set-user-id'; fi
done_testing
