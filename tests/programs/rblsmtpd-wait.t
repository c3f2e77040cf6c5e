#!/bin/sh
# rblsmtpd and time: all lists are asked at once, heard in their order, and not
# waited for longer than it matters; and the client's wait for its greeting goes
# on meanwhile.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
. "$tests/rblsmtpd.sh"
start_dns_faults
export DNSCACHEIP="127.0.0.1:$faults_port"

# greet STEP… -- ARGUMENT…: as ask, with a client that takes these steps
greet() {
	steps=
	while [ "$1" != -- ]; do
		steps="$steps $1"
		shift
	done
	shift
	code=0
	# shellcheck disable=SC2086 # steps without blanks
	on-socket $steps -- rblsmtpd -t0 "$@" "$work/next" >"$work/out" \
		2>"$work/log" || code=$?
	out=$(tr -d '\r' <"$work/out")
	log=$(sed 's/ pid [0-9]*:/ pid P:/' "$work/log")
}
waits='rblsmtpd: 192.0.2.1 pid P: greetdelay:'

# --- at once
# None of them is answered before all ten questions are there.
ask -r a.hold10.test -r b.hold10.test -r c.hold10.test -r d.hold10.test \
	-r e.hold10.test
refuses '451 listed' 'all lists are asked before any answers'
ask -r a.hold3.three.test:x -r b.hold3.three.test*-1 -a c.hold3.three.test
lets_in 'one question for each that has a message, or speaks for clients' \
	s/JGREYLIST=unset/JGREYLIST=/

# --- as soon as it is known
# What is silent fails after eleven seconds.
timed ask -d 60 -r listed.test -r silent.test -a silent.test
refuses '451 listed' 'the first list refuses'
is_at_most 8000 'without waiting for the others'
timed ask -d 60 -a listed.test -r silent.test
lets_in 'the first list allows'
is_at_most 8000 'without waiting'
timed ask -d 60 -s 2 -r listed.test -r 'txtsilent.test=127.0.0.2' -r silent.test
refuses '451 listed' 'two lists refuse'
is_at_most 8000 'without waiting for a text that nobody needs'
timed ask -d 60 -r listed.test*2 -r listed.test*-1 -r silent.test
refuses '451 listed' 'the last one that could take something off has spoken'
is_at_most 8000 'and no other is waited for'
ask -b -r delay300.test:late -r listed.test:soon
refuses '553 late' 'the first in order decides, not the first to answer'
timed ask -d 60 -r drop1.test
refuses '451 listed' 'a question that is lost is asked again'
is_at_most 8000 'soon'

# --- the deadline
timed ask -d 1 -r silent.test -r nx.test
lets_in 'a list that does not answer lists nobody'
is_at_least 1000 'after the deadline'
is_at_most 9000 'and not much later'
timed ask -d 1 -c -r silent.test -r nx.test
refuses '451 temporary RBL lookup error' '-c: it refuses everybody'
is_at_least 1000 'after the deadline, too'
ask -d 1 -b -r silent.test:text -r listed.test
refuses '451 listed' 'those behind it are heard, but not for good'
ask -d 1 -r asilent.test
lets_in 'a TXT without an A that would tell what it is worth'
ask -d 1 -r txtsilent.test=127.0.0.2
refuses '451 blocked using txtsilent.test' 'no text in time: none'
ask -d 1 -a silent.test -r listed.test
lets_in 'a list that allows, and is silent, allows'
ask -d 1 -r listed.test -r silent.test*-1
lets_in 'so too with a weight'
# One after the other, two of them would take two seconds.
timed ask -r delay1000.test=127.0.0.9 -a delay1000.test=127.0.0.9 \
	-r delay1000.test=127.0.0.8 -r delay1000.b.test*0 -r delay1000.c.test
is_at_most 1950 'five lists that take a second take a second together'
is_at_least 1000 'though not less'

# --- -w
timed ask -w 1 -r nx.test
is "$out
$log" "$in
$waits 1" '-w: a client that is let in has to wait'
is_at_least 0 'or not, when there is none' # standard input is /dev/null
timed greet 'expect=unset' close -- -w 1 -r nx.test
is "$out
$log" "$in
$waits 1" 'on a connection'
is_at_least 1000 'it waits'
timed greet 'expect=unset' close -- -w 3 -r delay2000.test=127.0.0.9
is_at_least 3000 'the lists take their time meanwhile'
is_at_most 4700 'not before or behind the wait'
timed greet end -- -w 60 -r listed.test
is "$out
$log" "451 listed
$waits 60
rblsmtpd: 192.0.2.1 pid P: 451 listed" 'a client that is refused'
is_at_most 20000 'does not wait'
timed greet end -- -w 60 -a listed.test
is "$out" "$in" 'nor does one that a list allows'
is_at_most 20000 'at once'
timed greet 'expect=unset' close -- -w 1 -i -r listed.test
is "$out" 'in RBLSMTPD=[RBL info] listed JGREYLIST=unset DOUBT=1' '-i lets in'
is_at_least 1000 'after the wait'
timed greet shut end -- -w 60 -r nx.test
is "$out" "$in" 'a client that goes is not waited for'
is_at_most 20000 'the next program runs at once'
greet shut end -- -w 60 -d 60 -r delay500.test
is "$out" '451 listed' 'but its lists are'
greet send=early 'expect=unset' close -- -w 1 -r nx.test
is "$out" "$in" 'whether it talks meanwhile does not matter'
on-socket send=early 'expect=got' close -- rblsmtpd -w 1 -r nx.test \
	sh -c 'head -c 5 | sed "s/^/got /"' >"$work/out" 2>/dev/null
is "$(cat "$work/out")" 'got early' 'and nothing is lost'
export RELAYCLIENT=
timed ask -w 60 -r nx.test
lets_in 'RELAYCLIENT: no wait'
is_at_most 20000 'at all'
unset RELAYCLIENT
RBLSMTPD='' ask -w 60
is "$out $log" 'in RBLSMTPD= JGREYLIST=unset DOUBT=unset ' 'nor for those that a rule lets in'
RBLSMTPD=No ask -w 60
refuses '451 No' 'or refuses'
timed greet 'expect=unset' close -- -w 60 -n
is "$out" "$in" 'nor with -n'

# --- -W
export GREETDELAY=1 DROP_PRE_GREET=0
ask
lets_in 'without -W the settings are for the next program' 's/$/ GREETDELAY DROP_PRE_GREET/'
ask -n -W
is "$out" "$in GREETDELAY DROP_PRE_GREET" 'and so they are with -n'
timed greet 'expect=unset' close -- -W
is "$out
$log" "$in
$waits 1" '-W: GREETDELAY, which is gone then'
is_at_least 1000 'the wait'
timed greet 'expect=unset' close -- -w 2 -W
is "$log" "$waits 2" '-w wins'
is_at_least 2000 'and is the wait'
RBLSMTPD='' ask -W
is "$out" 'in RBLSMTPD= JGREYLIST=unset DOUBT=unset' 'gone in any case'
GREETDELAY=60
DROP_PRE_GREET=1
timed greet 'send=EHLO\x20x\r\n' end close -- -W -d 60 -r silent.test
is "$code $out" '1 554 SMTP protocol violation' 'DROP_PRE_GREET: early words get a 554, exit 1'
like "$log" '^rblsmtpd\[[0-9]+\]: before greeting: \[192\.0\.2\.1\] client sent data$' \
	'and a line in the log'
is_at_most 8000 'whatever the lists may say'
timed greet close -- -W -d 60 -r silent.test
is "$code $out" '1 ' 'a client that goes: exit 1'
like "$log" ': before greeting: \[192\.0\.2\.1\] client disconnected$' 'and another line'
timed greet end -- -W -r listed.test
is "$code $out" '0 451 listed' 'a client that is listed is refused before'
RBLSMTPD=No greet send=early end -- -W
is "$code $out" '0 451 No' 'so is one by a rule'
RELAYCLIENT='' greet send=early expect=unset close -- -W -r nx.test
is "$code $out" "0 $in" 'with RELAYCLIENT it is no offence'
GREETDELAY=1 greet 'expect=unset' close -- -W -r delay300.test=127.0.0.9
is "$code $out" "0 $in" 'a client that waits is let in'
unset GREETDELAY DROP_PRE_GREET

# --- small
name='one socket for all questions, and it is not inherited'
if is_plain "$name" && can_trace "$name"; then
	strace -f -e trace=network,execve -o "$work/trace" \
		rblsmtpd -r nx.a.test -r nx.b.test -a nx.c.test ls /proc/self/fd \
		>"$work/fds" 2>/dev/null
	ls /proc/self/fd >"$work/fds-before" 2>/dev/null
	is "$(grep -c 'socket(' "$work/trace")
$(cat "$work/fds")" "1
$(cat "$work/fds-before")" "$name"
fi
name='without lists and a wait, no system call of its own'
if is_plain "$name" && can_trace "$name"; then
	RBLSMTPD='' strace -o "$work/trace" rblsmtpd -r a.test -r b.test /bin/true
	calls=$(sed -n '2,/execve/p' "$work/trace" | grep -vc execve)
	# What libc's start takes.
	if is_dynamic "$bin/rblsmtpd"; then most=60; else most=2; fi
	if [ "$calls" -le $most ]; then ok "$name"; else not_ok "$name" "$calls"; fi
fi
done_testing
