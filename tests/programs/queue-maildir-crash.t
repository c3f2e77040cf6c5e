#!/bin/sh
# queue-maildir when the machine or the disk fails it: every system call is made
# to fail, and is made its last, and the next attempt completes the work with
# one copy for everybody. The one window that is left is measured, too.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
need strace
unset QUEUE_MAILDIR ERROR_FD TMPDIR
export CONTROLDIR="$work/control"
mkdir "$work/control"
strace -o /dev/null true 2>/dev/null || {
	echo '1..0 # SKIP strace may not trace here'
	exit 0
}

printf '%s\n' "a@x:$work/A" "b@x:$work/B" "c@x:$work/A" |
	queue-maildir -c "$work/control/maildirs.cdb"
start() {
	maildirs A B
	message 'Subject: crash' '' 'what must arrive'
	envelope s@x a@x b@x c@x
}
# again: the caller's next attempt, whose Received field has another date.
again() {
	message 'Subject: crash' '' 'what must arrive'
	run
}
copies() {
	echo "$(delivered A a@x)$(delivered B b@x)$(delivered A c@x)"
}
traced() {
	run strace -f -o "$work/trace" "$@" queue-maildir
}

# --- the order
start
traced -y -e 'trace=?open,?openat,write,writev,fsync,?link,?linkat,?unlink,?unlinkat,exit_group'
is "$code $(copies)" '0 111' 'three recipients in two Maildirs'
# One letter for each step; what is not about the Maildirs is left out.
order=$(sed -n -e 's/^[0-9]* *//' \
	-e '/^open.*O_EXCL/s/.*/o/p' \
	-e '/^writev*([0-9]*<[^>]*\.queue-maildir>/s/.*/w/p' \
	-e '/^fsync([0-9]*<.*queue-maildir>) *= 0/s/.*/f/p' \
	-e '/^link.*= 0/s/.*/l/p' \
	-e '/^fsync([0-9]*<.*\/[AB]\/new>) *= 0/s/.*/F/p' \
	-e '/^unlink.*= 0/s/.*/u/p' \
	-e '/^exit_group(0)/s/.*/e/p' "$work/trace" | tr -d '\n')
like "$order" '^owowowffflllFFuuue$' 'all written, all synced, all linked, both folders synced, all unlinked'

# --- the count
start
envelope s@x a@x
traced
calls=$(grep -c '(.*= ' "$work/trace")
echo "# system calls for one message to one recipient, with a map: $calls"
if grep -q 'ld\.so\|libc\.so\|/lib/' "$work/trace" || [ -n "${SANITIZE:-}" ]; then
	ok 'system calls are counted in the static program only'
else
	[ "$calls" -le 45 ]
	is $? 0 'at most 45 system calls for a message'
fi

# --- every call fails
# break_calls NAMES ERROR…: the first, second … one, until there is none. When
# it is not taken, nothing may be there, and later everybody gets one.
break_calls() {
	names=$1
	shift
	for error; do
		wrong='' nth=0 seen=''
		while :; do
			nth=$((nth + 1))
			start
			traced -e "inject=$names:error=$error:when=$nth"
			grep -q INJECTED "$work/trace" || break
			seen="$seen $code"
			first=$code
			if [ "$code" -eq 0 ]; then
				[ "$(copies)" = 111 ] || wrong="$wrong $nth:taken:$(copies)"
				continue
			fi
			[ "$(files A/new B/new A/tmp B/tmp)" -eq 0 ] || wrong="$wrong $nth:left"
			again
			[ "$code$(copies)" = 0111 ] || wrong="$wrong $nth:$first:$code:$(copies)"
			[ "$(files A/tmp B/tmp)" -eq 0 ] || wrong="$wrong $nth:tmp"
		done
		is "$wrong" '' "$names: $error: nothing or everything, and once in the end"
		echo "# exit codes:$seen"
		codes=$seen
	done
}
exits() { is "$codes" "$1" "$names: $error: exit codes"; }
break_calls fsync EIO
exits ' 53 53 53 53 53'
break_calls '?link,?linkat' ENOSPC
exits ' 53 53 53'
break_calls '?link,?linkat' EIO EDQUOT EACCES
exits ' 82 82 82'
break_calls writev ENOSPC
exits ' 53 53 53'
break_calls writev EIO EDQUOT EFBIG
exits ' 53 53 53'
break_calls flock ENOLCK
exits ' 82 82 82'
[ -n "${SANITIZE:-}" ] || {
	break_calls '?open,?openat' EMFILE EACCES ENOSPC
	break_calls '?fstat,?lstat,?newfstatat,?statx' EIO
	break_calls read EIO
}
break_calls '?unlink,?unlinkat' EINTR

# --- taken back in vain
start
traced -e 'inject=?link,?linkat:error=ENOSPC:when=3' -e 'inject=?unlink,?unlinkat:error=EIO:when=1'
is "$code" 53 'the third link fails, and the first cannot be taken back'
is "$(copies)" 100 'so one of them has it'
is "$(files A/tmp B/tmp)" 1 'and keeps its second name'
mv "$work"/A/new/* "$work/A/cur/"
again
is "$code $(copies)" '0 111' 'it is not delivered again, though it was moved meanwhile'
is "$(files A/tmp B/tmp)" 0 'nothing is left'
again
is "$code $(copies)" '0 222' 'the same message once more is another one'

# --- killed before each call
# kill_sweep: before every call of every name. $killed is the number of crashes,
# $window what happened behind the first unlink.
traced -c
if [ -n "${SANITIZE:-}" ]; then
	kinds='flock writev fsync ?link,?linkat ?unlink,?unlinkat'
else
	kinds='?open,?openat read flock ?fstat ?lstat,?newfstatat writev fsync ?link,?linkat close ?unlink,?unlinkat getpid write exit_group'
fi
# crash NAMES NTH: false when there is no such call any more.
crash() {
	traced -e "inject=$1:signal=KILL:when=$2"
	[ "$code" -eq 137 ]
}
# Names in tmp/ that have been removed after they were linked.
removed() {
	echo $(($(files A/new B/new) - $(files A/tmp B/tmp)))
}
wrong='' window='' killed=0
for kind in $kinds; do
	nth=1
	while start && crash "$kind" $nth; do
		killed=$((killed + 1))
		[ "$(copies | tr -d 01)" = '' ] || wrong="$wrong $kind:$nth:before:$(copies)"
		gone=$(removed)
		again
		case $gone in
		1 | 2 | 3) window="$window $kind:$nth:$(copies)" ;;
		*) [ "$(copies)" = 111 ] || wrong="$wrong $kind:$nth:$(copies)" ;;
		esac
		[ "$code$(files A/tmp B/tmp)" = 00 ] || wrong="$wrong $kind:$nth:$code:tmp"
		nth=$((nth + 1))
	done
done
echo "# killed $killed times; behind the first unlink:$window"
[ $killed -ge 14 ]
is $? 0 'the program was killed before each of its calls'
is "$wrong" '' 'and each time everybody had one whole copy after the next attempt'
wanted=' ?unlink,?unlinkat:2:211 ?unlink,?unlinkat:3:221'
[ -n "${SANITIZE:-}" ] || wanted="$wanted getpid:2:222 write:1:222 exit_group:1:222"
is "$window" "$wanted" 'but for the window: from the first unlink to the exit, a second one for those whose name in tmp/ is gone'

# --- killed, and killed again
[ -n "${SANITIZE:-}" ] || {
	wrong='' killed=0
	for first in fsync:3 '?link,?linkat:3' fsync:5; do
		for kind in flock fsync '?link,?linkat' '?unlink,?unlinkat:1' writev; do
			nth=1
			while :; do
				start
				crash "${first%:*}" "${first##*:}" || wrong="$wrong $first"
				case $kind in
				*:1) [ $nth -eq 1 ] && crash "${kind%:*}" 1 || break ;;
				*) crash "$kind" $nth || break ;;
				esac
				killed=$((killed + 1))
				again
				[ "$code$(copies)$(files A/tmp B/tmp)" = 01110 ] || wrong="$wrong $first/$kind:$nth:$(copies)"
				nth=$((nth + 1))
			done
		done
	done
	echo "# killed twice, $killed times"
	is "$wrong" '' 'two crashes in a row'
}

# --- killed while taking back
wrong='' nth=1
while :; do
	start
	traced -e inject=fsync:error=EIO:when=5 -e "inject=?unlink,?unlinkat:signal=KILL:when=$nth"
	[ "$code" -eq 137 ] || break
	again
	[ "$code$(copies)$(files A/tmp B/tmp)" = 01110 ] || wrong="$wrong $nth:$(copies)"
	nth=$((nth + 1))
done
is "$nth$wrong" 7 'a crash before each step of taking back'

# --- what an attempt finds
leave() {
	start
	crash "$@"
}
leave '?link,?linkat' 2
message 'Subject: another' '' 'one'
run
is "$code$(cat "$work"/[AB]/new/* | grep -cx one)" 03 'another message to the same recipients is delivered'
is "$(files A/tmp B/tmp)" 3 'and leaves what it does not know'
again
is "$code$(cat "$work"/[AB]/new/* | grep -cx 'what must arrive')" 03 'then the first one is completed'
is "$(files A/tmp B/tmp)" 0 'and its files are gone'

leave '?link,?linkat' 3
rm "$work"/A/new/*
again
is "$code $(copies)" '0 111' 'a message that was deleted meanwhile is delivered again'

leave fsync 1
ls "$work/A/tmp" >"$work/names"
leave fsync 1
ls "$work/A/tmp" | cmp -s - "$work/names"
is $? 0 'the names in tmp/ are the same in every attempt'
for file in "$work"/A/tmp/* "$work"/B/tmp/*; do
	seq 1 1000 >"$file"
done
again
is "$code $(copies)" '0 111' 'whatever they hold is written over'

leave fsync 1
for file in "$work"/A/tmp/* "$work"/B/tmp/*; do
	rm "$file"
	ln -s "$work/target" "$file"
done
echo target >"$work/target"
again
is "$code $(copies)" '0 111' 'symbolic links in their place are passed over'
is "$(cat "$work/target")" target 'and not followed'

leave fsync 1
for file in "$work"/A/tmp/* "$work"/B/tmp/*; do
	rm "$file"
	mkfifo "$file"
done
again
is "$code $(copies)" '0 111' 'so are fifos'

leave fsync 1
for file in "$work"/A/tmp/*; do
	echo 'something else' >"$file"
	ln "$file" "$file.2"
done
again
is "$code $(copies)" '0 111' 'another file with that name and a second one is no delivery'
is "$(cat "$work"/A/tmp/*.2)" 'something else
something else' 'and stays as it is'

start
traced -e inject=fsync:signal=KILL:when=5 # all linked
for file in "$work"/A/tmp/*; do
	sed 's/must/MUST/' "$file" >"$work/changed"
	cat "$work/changed" >"$file"
done
cp "$work/message" "$work/unchanged"
again
is "$code$(delivered B b@x)" 01 'one whose bytes are others'
is "$(grep -l 'what must' "$work"/A/new/* | wc -l)" 2 'is no delivery'

# --- a long message, which is compared in pieces
start
seq 1 300000 >>"$work/message"
cp "$work/message" "$work/long"
crash fsync 4
sed '2s/attempt.*/attempt again, and more/' "$work/long" >"$work/message"
run
is "$code $(copies)" '0 111' 'a long message is known again'
is "$(files A/tmp B/tmp)" 0 'nothing is left of it'
start
cp "$work/long" "$work/message"
crash fsync 4
echo more >>"$work/message"
run
is "$code$(files A/new B/new)" 06 'a longer one is another one'

# --- two at once
# The first attempt stands still, alive, with everything linked; an identical
# message arrives, and is delivered beside it.
start
strace -f -o "$work/slow" -e inject=fsync:delay_enter=1500000:when=4 \
	queue-maildir <"$work/message" 1<"$work/envelope" 2>/dev/null &
pid=$!
started="$started $pid"
linked() { [ "$(files A/new B/new)" -eq 3 ]; }
wait_until linked
again
is "$code $(copies)" '0 222' 'an identical message beside a living attempt is delivered'
wait $pid
is "$? $(copies)" '0 222' 'and so is the other'
is "$(files A/tmp B/tmp)" 0 'nothing is left'
done_testing
