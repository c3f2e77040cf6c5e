#!/bin/sh
# rblsmtpd without a DNS: options, $RBLSMTPD, the conversation and its log. What
# it has in common with ucspi-tcp's is compared in tests/peers/rblsmtpd.t.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/rblsmtpd.sh"
# Nobody answers there.
export DNSCACHEIP=127.0.0.1:9

# --- wrong use
usage='rblsmtpd: usage: rblsmtpd [ -bBcCilnTW ] [ -t seconds ] [ -d seconds ] [ -w seconds ] [ -s score ] [ -g greeting ] [ -f file ] [ -r list ] [ -a list ] program [ arg ... ]'
# misused NAME LINE ARGUMENT…
misused() {
	name=$1
	line=$2
	shift 2
	code=0
	rblsmtpd "$@" >"$work/out" 2>&1 </dev/null || code=$?
	is "$code $(cat "$work/out")" "100 $line$usage" "$name"
}
misused 'no program: the usage' ''
misused 'options alone, too' '' -b -t 5 -r bl.test
misused 'a self-test of no list' '' -T
misused 'an unknown option' 'rblsmtpd: illegal option -- R
' -R true
misused 'no argument' 'rblsmtpd: option requires an argument -- r
' -r
misused '-t is a number' 'rblsmtpd: option -t takes a number from 0 to 86400
' -t x true
misused '-d is at least a second' 'rblsmtpd: option -d takes a number from 1 to 300
' -d 0 true
misused '-s is at least 1' 'rblsmtpd: option -s takes a number from 1 to 1000000
' -s 0 true
misused '-w has a limit' 'rblsmtpd: option -w takes a number from 0 to 3600
' -w 3601 true
misused 'a list with an empty message' 'rblsmtpd: -r: the message is empty
' -r bl.test: true
misused 'a weight of 0 allows nobody' 'rblsmtpd: -a: the weight is no number
' -a 'wl.test*0' true
misused 'a mistake shows no key' 'rblsmtpd: -r: the name behind # is empty, long, or no word
' -r 'sesame.bl.test#' true
lists=
for i in 1 2 3 4 5 6 7 8; do
	lists="$lists -r l$i.test -r m$i.test -r n$i.test -r o$i.test
		-a p$i.test -a q$i.test -a r$i.test -a s$i.test"
done
export RBLSMTPD=
# shellcheck disable=SC2086 # words
ask $lists
is "$code $out" "0 in RBLSMTPD= JGREYLIST=unset DOUBT=unset" '64 lists are enough'
# shellcheck disable=SC2086 # words
misused 'one more is too many' 'rblsmtpd: -r: there are too many lists
' $lists -r one.test true
unset RBLSMTPD

# --- the next program
ask
lets_in 'no lists: the next program runs'
code=0
log=$(rblsmtpd "$work/absent" 2>&1) || code=$?
is "$code $log" "111 rblsmtpd: fatal: unable to run $work/absent: file does not exist" \
	'a program that is not there: 111'
sh -c 'echo $$; exec rblsmtpd sh -c "echo \$\$"' >"$work/pids"
is "$(uniq "$work/pids" | wc -l)" 1 'the next program has the same pid'
TCPREMOTEIP='' ask -n
is "$out" "$in" '-n with a program runs it'
code=0
log=$(rblsmtpd -n 2>&1) || code=$?
is "$code" 0 'and without one ends well'

# --- $RBLSMTPD
RBLSMTPD='Go away, %IP%; 100%' ask -b -r bl.test
refuses '451 Go away, 192.0.2.1; 100%' 'a rule refuses, with the address in its text; -b is for lists'
RBLSMTPD='-Never %IP%%IP%' ask
refuses '553 Never 192.0.2.1192.0.2.1' 'one with a dash refuses for good'
RBLSMTPD=- ask
refuses '553 ' 'a dash alone has no text'
RBLSMTPD='' ask -c -r bl.test
is "$out $log" 'in RBLSMTPD= JGREYLIST=unset DOUBT=unset ' 'an empty one asks no list'
RBLSMTPD=$(printf 'a\001\r\nb\377%0300d' 0) ask
refuses "451 a???b?$(printf '%0194d' 0)" 'its bytes are made printable, and 200 are enough'
RBLSMTPD=x ask -i
refuses '451 x' '-i does not change what a rule says'
RBLSMTPD=x ask -n
is "$code $log" '0 rblsmtpd: 192.0.2.1 pid P: would refuse it, by RBLSMTPD: 451 x' \
	'-n says what would be done'
is "$out" 'in RBLSMTPD=x JGREYLIST=unset DOUBT=unset' 'and does not do it'

# --- who the client is
RBLSMTPD=%IP%
export RBLSMTPD
refuses_as() {
	ask
	TCPREMOTEIP=$1 refuses "451 $1" "$2"
}
PROTO=TCP6 TCP6REMOTEIP=2001:db8::1 refuses_as 2001:db8::1 'PROTO=TCP6: TCP6REMOTEIP'
PROTO=TCP TCP6REMOTEIP=2001:db8::1 refuses_as 192.0.2.1 'PROTO=TCP: TCPREMOTEIP'
PROTO=TCP6 refuses_as 192.0.2.1 'no TCP6REMOTEIP: TCPREMOTEIP'
TCPREMOTEIP=2001:db8::1 refuses_as 2001:db8::1 'TCPREMOTEIP may be of IPv6'
TCPREMOTEIP=::ffff:192.0.2.9 refuses_as 192.0.2.9 'IPv4 in IPv6 clothes is IPv4'
TCPREMOTEIP=fe80::1%eth0 refuses_as fe80::1 'the interface is left out'
unset TCPREMOTEIP
ask
is "$out
$log" '451 
rblsmtpd:  pid P: 451 ' 'no address: two blanks'
export TCPREMOTEIP=192.0.2.1
TCPREMOTEIP=$(printf '1\n2\033[2J\377') ask
is "$log" 'rblsmtpd: 1?2?[2J? pid P: 451 1?2?[2J?' 'hostile bytes are made printable'
unset RBLSMTPD
TCPREMOTEIP=gateway ask -r bl.test:text
is "$code $out
$log" "0 $in
rblsmtpd: warning: the client has no address to look up" 'what is no address is let in, and that is logged'
TCPREMOTEIP=1.2.3.4.5 ask -c -b -r bl.test:text
is "$out" '451 temporary RBL lookup error' 'with -c it is not'

# --- the conversation
talk() {
	printf '%b' "$1" >"$work/said"
	shift
	RBLSMTPD=${RBLSMTPD:-No} rblsmtpd "$@" true <"$work/said" 2>"$work/log" |
		tr -d '\r'
	sed 's/ pid [0-9]*:/ pid P:/' "$work/log"
}
is "$(talk 'EHLO x\r\nMAIL\r\nrcpt to\nNOOP\r\nQUIT now\r\n')" \
	'220 rblsmtpd.local
250 rblsmtpd.local
250 rblsmtpd.local
451 No
250 rblsmtpd.local
221 rblsmtpd.local
rblsmtpd: 192.0.2.1 pid P: 451 No' 'a conversation'
is "$(talk 'QUIT\r\n' -g mx.example)" '220 mx.example
221 mx.example
rblsmtpd: 192.0.2.1 pid P: 451 No' '-g greets with another word'
is "$(RBLGREETING=$(printf 'a\r\nb') talk 'QUIT\r\n')" '220 a??b
221 a??b
rblsmtpd: 192.0.2.1 pid P: 451 No' 'RBLGREETING too; it stays one line'
is "$(RBLGREETING=a talk '' -g b -l)" '220 b
rblsmtpd: 192.0.2.1 pid P: 451 No
rblsmtpd: 192.0.2.1 pid P: session ended: the client disconnected' \
	'the option wins; -l logs how the session ended'
is "$(talk 'EHLO x\r\nMAIL FROM:<a@\033b>\r\nrcpt TO:<c@d> x=y\nRSET\r\nQUIT\r\n' -l |
	grep rblsmtpd:)" 'rblsmtpd: 192.0.2.1 pid P: 451 No
rblsmtpd: 192.0.2.1 pid P: MAIL FROM:<a@?b>
rblsmtpd: 192.0.2.1 pid P: rcpt TO:<c@d> x=y
rblsmtpd: 192.0.2.1 pid P: session ended: the client quit' \
	'-l logs sender and recipients, made printable'
perl -e 'print "RCPT TO:<$_\@example.org>\r\n" for 1 .. 150; print "QUIT\r\n"' \
	>"$work/recipients"
RBLSMTPD=No rblsmtpd -l true <"$work/recipients" >"$work/out" 2>"$work/log"
is "$(grep -c RCPT "$work/log") $(tail -n 2 "$work/log" | sed 's/.*: //')" \
	'100 50 more such lines
the client quit' 'up to a limit'
is "$(grep -c '^451 No' "$work/out")" 150 'each of them is refused'
RBLSMTPD=No ask -l
is "$log" 'rblsmtpd: 192.0.2.1 pid P: 451 No' 'there is no session with -t 0'
RBLSMTPD=No on-socket end -- rblsmtpd -l -t1 true >"$work/out" 2>"$work/log"
is "$(tail -n 1 "$work/log" | sed 's/.*: //')" 'timed out' 'a client that says nothing'
done_testing
