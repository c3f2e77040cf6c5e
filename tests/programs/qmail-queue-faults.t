#!/bin/sh
# qmail-queue when the machine or the disk fails it: every system call is made to
# fail, and is made its last. What was acknowledged is stored, what is there for
# qmail-send is whole, and what is left over queue-check takes away. Disks that are
# full, or read only; and what the client is told of it all.
# SPDX-License-Identifier: ISC
[ "$(id -u)" -ne 0 ] || [ "${OWN_MOUNTS:-}" ] || ! unshare -m true 2>/dev/null ||
	OWN_MOUNTS=1 exec unshare -m "$0"
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/queue.sh"
need strace
unset ERROR_FD TMPDIR CONTROLDIR
export QUEUEDIR="$work/queue"
strace -o /dev/null true 2>/dev/null || {
	echo '1..0 # SKIP strace may not trace here'
	exit 0
}
message 'Subject: fault' '' 'what must arrive'
envelope s@x a@x b@x
make_queue queue
if ! queue_is_on queue 'ext4 with a journal' && mount_ext4 mnt; then
	rm -r "$work/queue"
	ln -s mnt/queue "$work/queue"
	make_queue mnt/queue
fi

# clean: what is left over is collectable, and then nothing is left
clean() {
	find "$work/queue/mess" "$work/queue/pid" "$work/queue/intd" -type f -exec touch -d '3 days ago' {} +
	queue-check -u "$(id -u)" "$work/queue" >"$work/cleaned" || wrong="$wrong $what:queue-check:$?"
}
empty() {
	find "$work/queue/mess" "$work/queue/pid" "$work/queue/intd" "$work/queue/todo" -type f -delete
}
# traced OPTION…: the message comes from a pipe. sh is gone when qmail-queue runs.
traced() {
	code=0
	{
		cat "$work/message" | strace -f -o "$work/trace" "$@" qmail-queue 1<"$work/envelope" 2>"$work/log" || code=$?
	} 2>/dev/null
}
# judge: $wrong grows when acknowledged is not stored, or what is there not whole
judge() {
	there=$(stored queue)
	case $code.$there in
	0.1 | *[!0].0 | *[1-9]0.0) ;;
	# It was there for a moment; a caller who is told nothing, or to try
	# again, may get it twice, and never not at all.
	137.1) twice="$twice $what" ;;
	*) wrong="$wrong $what:$code:$there" ;;
	esac
	[ "$code" -eq 0 ] || {
		[ "$there" = 1 ] || clean
		[ "$there" = 1 ] || [ "$(all_files queue)" -eq 0 ] ||
			wrong="$wrong $what:left:$(cd "$work/queue" && find pid mess intd todo -type f | tr '\n' ,)"
	}
	empty
}
options=
injections() { grep -c INJECTED "$work/trace"; }
# break_calls NAMES ERROR…: the first, second … one, until there is none
break_calls() {
	names=$1
	shift
	# shellcheck disable=SC2086 # a list
	traced $options
	usual=$(injections)
	empty
	for error; do
		wrong='' twice='' codes='' nth=0
		while [ $nth -lt 40 ]; do
			nth=$((nth + 1))
			what=$names:$nth
			# shellcheck disable=SC2086 # a list
			traced $options -e "inject=$names:error=$error:when=$nth"
			[ "$(injections)" -gt "$usual" ] || grep -q "$error.*INJECTED" "$work/trace" || break
			codes="$codes $code"
			judge
		done
		empty
		is "$wrong$twice" '' "$style: $names: $error: nothing is there, or all"
		echo "# exit codes:$codes"
	done
}
exits() { is "$codes" "$1" "$style: $names: $error: exit codes"; }
# kill_calls NAME…: before the first, second … one
kill_calls() {
	wrong='' twice='' killed=0
	for names; do
		nth=0
		while :; do
			nth=$((nth + 1))
			what=$names:$nth
			# shellcheck disable=SC2086 # a list
			traced $options -e "inject=$names:signal=KILL:when=$nth"
			[ "$code" -eq 137 ] || break
			killed=$((killed + 1))
			judge
		done
		judge
	done
	echo "# $style: killed $killed times; there, though not acknowledged:$twice"
	is "$wrong" '' "$style: killed before each call: nothing is there, or all"
}
kinds() {
	sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$work/trace" | sort -u |
		grep -vx -e execve -e arch_prctl -e set_tid_address
}

# --- on ext4
if ! queue_is_on queue 'ext4 with a journal'; then skip 'there is none' 'on ext4'
elif is_plain 'on ext4'; then
	style='on ext4'
	break_calls openat EMFILE ENOSPC EROFS
	exits ' 63 65 0 53 0'
	break_calls fsync EIO
	exits ' 53 53 53'
	break_calls linkat ENOSPC EIO
	exits ' 64 66'
	break_calls sync_file_range EIO
	exits ' 0 53 53'
	break_calls writev EIO EDQUOT
	exits ' 53 53'
	break_calls read EIO
	exits ' 54 54 54 54 0'
	break_calls fstat EIO
	break_calls stat EIO
	break_calls lstat EIO
	break_calls statfs EIO
	exits ' 0'
	traced
	judge
	# shellcheck disable=SC2046 # a list
	kill_calls $(kinds)
	[ $killed -ge 50 ]
	is $? 0 "$style: before each of them"
	is "$twice" ' close:2 exit_group:1 fsync:1 fsync:2 fsync:3 openat:4 openat:5' \
		"$style: what is there without an exit code is so for the last calls only"
fi

# --- elsewhere
is_plain 'elsewhere' && {
	style=elsewhere
	options='-e inject=statfs:error=EPERM'
	break_calls fsync EIO
	exits ' 53 53 53 53 53'
	break_calls linkat ENOSPC
	exits ' 64 66'
	break_calls openat EIO
	exits ' 63 65 53 53 0'
	# shellcheck disable=SC2086 # a list
	traced $options
	judge
	# shellcheck disable=SC2046 # a list
	kill_calls $(kinds | grep -vx statfs)
	is "$twice" ' close:2 exit_group:1 fsync:4 fsync:5 openat:4 openat:5' \
		"$style: what is there without an exit code is so for the last calls only"
	style='without nameless files'
	options='-e inject=statfs:error=EPERM -e inject=openat:error=EOPNOTSUPP:when=1..3+2'
	break_calls fsync EIO
	exits ' 53 53 53 53 53'
	break_calls link ENOSPC
	exits ' 64 66'
	break_calls unlink EIO
	exits ' 63'
	break_calls writev ENOSPC
	exits ' 53 53'
	# shellcheck disable=SC2086 # a list
	traced $options
	judge
	# shellcheck disable=SC2046 # a list
	kill_calls $(kinds | grep -vx -e statfs -e openat)
	is "$twice" ' close:2 exit_group:1 fsync:4 fsync:5' \
		"$style: what is there without an exit code is so for the last calls only"
}

# --- with a sanitizer: what it calls itself is left alone
[ -z "${SANITIZE:-}" ] || {
	style=sanitized
	break_calls fsync EIO
	break_calls linkat ENOSPC
	kill_calls linkat fsync
}

# --- what the client is told
mkdir "$work/control"
echo example.org >"$work/control/me"
# through_smtpd: the reply to the message, from the queue in $QUEUEDIR
cat >"$work/through_smtpd" <<'END'
#!/bin/sh
printf '%s\r\n' 'HELO x' 'MAIL FROM:<s@x>' 'RCPT TO:<r@example.org>' DATA 'Subject: x' '' text . QUIT |
	RELAYCLIENT='' TCPREMOTEIP=127.0.0.1 CONTROLDIR=$1/control smtpd 2>>"$1/smtpd.log" | sed -n '/^354/{n;s/\r//p;}'
END
chmod 755 "$work/through_smtpd"
# The calls of qmail-queue alone: smtpd runs this in its place.
queue_with() {
	printf '#!/bin/sh\nexec strace -o /dev/null -e %s %s/qmail-queue\n' "$1" "$bin" >"$work/program"
	chmod 755 "$work/program"
}
told() {
	queue_with "$1"
	is "$(QMAILQUEUE=$work/program "$work/through_smtpd" "$work")" "$2" "smtpd, $1: $2"
	is "$(in_queue queue todo)" 0 'and nothing is there'
	empty
}
full='451 qq write error or disk full (#4.3.0)'
files='451 qq trouble creating files in queue (#4.3.0)'
is_plain 'through smtpd' && {
	told inject=writev:error=ENOSPC "$full"
	told inject=fsync:error=EIO "$full"
	told inject=linkat:error=ENOSPC "$files"
	told inject=openat:error=ENOSPC "$files"
	told inject=chdir:error=EACCES '451 qq trouble creating files in queue (#4.3.0)'
	told inject=read:error=EIO '451 qq read error (#4.3.0)'
	told inject=linkat:signal=KILL '451 qq crashed (#4.3.0)'
	told inject=writev:signal=SEGV '451 qq internal bug (#4.3.0)'
	told inject=writev:signal=ALRM '451 qq timeout (#4.3.0)'
	queue_with inject=getppid:error=EIO
	like "$(QMAILQUEUE=$work/program "$work/through_smtpd" "$work")" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd, nothing fails: 250'
	empty
}

# --- full disks
# In a file system of its own; all is done there, and said in words.
cat >"$work/disks.sh" <<'END'
work=$1
mount -t tmpfs -o "$2" tmpfs "$work/disk" || exit 99
QUEUEDIR=$work/disk/queue
QMAILQUEUE=$(command -v qmail-queue)
export QUEUEDIR QMAILQUEUE
queue-check -u "$(id -u)" -s 1 "$QUEUEDIR" >/dev/null || exit 99
case $3 in
full) dd if=/dev/zero of="$work/disk/filler" bs=4096 2>/dev/null ;;
inodes) while true >"$work/disk/filler.$((n = n + 1))"; do :; done 2>/dev/null ;;
read-only) mount -o remount,ro "$work/disk" || exit 99 ;;
large) ;;
esac
code=0
qmail-queue <"$work/$4" 1<"$work/envelope" 2>"$work/log" || code=$?
piped=$(cat "$work/$4" | { qmail-queue 1<"$work/envelope" 2>>"$work/log"; echo $?; })
echo "$code $piped $(find "$QUEUEDIR" -type f ! -path '*/lock/*' | wc -l)"
"$work/through_smtpd" "$work"
case $3 in
read-only) mount -o remount,rw "$work/disk" ;;
*) rm -f "$work"/disk/filler* ;;
esac
"$work/through_smtpd" "$work" | cut -c1-6
END
mkdir "$work/disk"
seq 1 1000000 | head -c 3000000 >"$work/large"
# disk NAME OPTIONS WHAT MESSAGE CODES REPLY
disk() {
	unshare -rm sh "$work/disks.sh" "$work" "$2" "$3" "$4" >"$work/out" 2>"$work/err"
	code=$?
	if [ $code -eq 99 ]; then skip 'no such file system' "$1"
	else
		is "$(sed -n 1p "$work/out")" "$5 0" "$1: $5, and no file is left"
		like "$(sed -n 2p "$work/out")" "^${6%(*}" "$1: the client is told $6"
		is "$(sed -n 3p "$work/out")" '250 ok' "$1: and 250 when that is over"
	fi
}
if ! unshare -rm true 2>/dev/null; then skip 'no user namespaces' 'full disks'
elif is_plain 'full disks'; then
	disk 'a full disk' size=1m full message '53 53' "$full"
	disk 'a disk that is too small' size=1m large large '53 53' '250 ok'
	disk 'no inodes' nr_inodes=40 inodes message '63 63' "$files"
	disk 'a read-only disk' size=1m read-only message '63 63' "$files"
fi
done_testing
