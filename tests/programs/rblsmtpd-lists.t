#!/bin/sh
# rblsmtpd and what its lists answer: filters, weights, keys, files, errors that
# look like listings, IPv6, and what the programs behind it are told. All of it
# over a real rbldnsd, or a server that fails as it is told.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
. "$tests/rblsmtpd.sh"
start_rbldnsd
start_dns_faults
real=127.0.0.1:$lists_port
faults=127.0.0.1:$faults_port
export DNSCACHEIP=$real
# warns NAME LIST ADDRESS [REPLY]: it has, of an answer that does not count, and
# has let the client in, or else refused it.
warns() {
	warned="rblsmtpd: warning: $2: answer $3 is no listing: not counted"
	[ $# -lt 4 ] || warned="$warned
rblsmtpd: 192.0.2.1 pid P: $4"
	is "$out
$log" "${4:-$in}
$warned" "$1"
}

# --- a message makes it a list of addresses
ask -r a.test
lets_in 'no TXT: not listed, as ever'
ask -r 'a.test:See <%IP%>'
refuses '451 See <192.0.2.1>' 'with a message, A is enough'
ask -b -r 'bl.test:mine: %IP%'
refuses '553 mine: 192.0.2.1' 'the message wins over a TXT, and may have colons'
TCPREMOTEIP=192.0.2.2 ask -r a.test:text -r bl.test -r several.test
lets_in 'not listed: the next program runs'
ask -r nx.nowhere.test:text
lets_in 'no such zone, by REFUSED: let in'

# --- filters
ask -r several.test=127.0.0.11
refuses '451 one of them' 'a filter: one of the answers matches; TXT is the text'
ask -r several.test=127.0.0.2:own
refuses '451 own' 'unless there is a message'
ask -r several.test=127.0.0.[3..10]
warns 'no answer matches' several.test 203.0.113.80
ask -r 'several.test=127.0.0.[2;11]*1'
refuses '451 one of them' 'a set of values'
ask -r a.test=127.0.0.2
refuses '451 blocked using a.test' 'no TXT: the list is named'
ask -r a.test=127.0.0.4
lets_in 'another value: not listed'
TCPREMOTEIP=192.0.2.4 ask -r bl.test=127.0.0.2
lets_in 'so too with a TXT'
TCPREMOTEIP=192.0.2.4 ask -b -r bl.test=127.0.0.4
TCPREMOTEIP=192.0.2.4 refuses '553 Exploited host 192.0.2.4' 'and the right value'

# --- weights
ask -r a.test*1
refuses '451 blocked using a.test' 'weight 1 is what a list has anyway'
ask -s 2 -r bl.test
lets_in 'below the threshold: in doubt' s/DOUBT=unset/DOUBT=1/
ask -s 2 -r bl.test -r second.test
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'two lists: the text of the first'
ask -s 2 -r second.test -b -r bl.test
refuses '451 Second 192.0.2.1' 'and its code'
ask -s 3 -r bl.test*2 -r several.test=127.0.0.[2..11]
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'several answers of one list weigh once'
ask -s 4 -r bl.test*2 -r several.test=127.0.0.[2..11]
lets_in 'so these weigh 3' s/DOUBT=unset/DOUBT=3/
ask -r bl.test*0 -s 2 -r second.test
lets_in 'a weight of 0 adds nothing' s/DOUBT=unset/DOUBT=1/
ask -r bl.test*0 -r second.test
refuses '451 Second 192.0.2.1' 'and gives no text'
ask -r bl.test -r dnswl.test*-1
lets_in 'a list with a negative weight speaks for the client' s/JGREYLIST=unset/JGREYLIST=/
ask -r bl.test*2 -r dnswl.test*-1
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'but not against more than its weight'
ask -s 2 -r bl.test*2 -r dnswl.test*-1
lets_in 'what is left is the doubt' 's/JGREYLIST=unset DOUBT=unset/JGREYLIST= DOUBT=1/'
ask -r bl.test -r 'dnswl.test=127.0.[0..255].[1..3]*-1'
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'nor when the filter has no such answer'
ask -s 1 -r bl.test -a dnswl.test*1
lets_in 'the same, written as a list that allows' s/JGREYLIST=unset/JGREYLIST=/
JGREYLIST=mine ask -r bl.test -a dnswl.test*1
lets_in 'JGREYLIST of a rule stays' s/JGREYLIST=unset/JGREYLIST=mine/
TCPREMOTEIP=192.0.2.2 ask -s 9 -r bl.test -a dnswl.test*1
lets_in 'no list has it: nothing is told'

# --- lists that allow
ask -a dnswl.test -r bl.test
lets_in 'the first that decides, decides'
ask -r bl.test -a dnswl.test
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'the other way round, too'
ask -s 2 -r bl.test -a dnswl.test -r second.test
lets_in 'below the threshold nothing is decided'
ask -a 'dnswl.test=127.0.[0..255].[1..3]' -r bl.test
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'a filter that has no such answer'
TCPREMOTEIP=192.0.2.3 ask -a 'dnswl.test=127.0.[0..255].[1..3]' -r a.test:text
lets_in 'and one that has: it speaks for the client' s/JGREYLIST=unset/JGREYLIST=/
DNSCACHEIP=$faults ask -a limit.test -r listed.test
is "$out
$log" '451 listed
rblsmtpd: warning: limit.test: answer 127.0.0.255 is no listing: not counted
rblsmtpd: 192.0.2.1 pid P: 451 listed' '127.0.0.255 lets nobody in'
DNSCACHEIP=$faults ask -b -c -a limit.test -r listed.test
is "$out" '451 listed' 'with -c it is a failure, after which nobody is refused for good'
DNSCACHEIP=$faults ask -r limit.test:x
refuses '451 x' 'of another list it is an address as any'

# --- errors and strangers
ask -r blocked.test
warns 'a blocked resolver refuses nobody, whatever TXT says' blocked.test 127.255.255.254
ask -r blocked.test:text
warns 'nor does it with a message' blocked.test 127.255.255.254
ask -r 'blocked.test=127.[0..255].[0..255].[0..255]'
warns 'nor with a filter for all' blocked.test 127.255.255.254
ask -r blocked.test -r bl.test
warns 'the next list is asked' blocked.test 127.255.255.254 \
	'451 Listed, see http://bl.test/?192.0.2.1'
ask -c -r blocked.test
warns 'nor does it with -c' blocked.test 127.255.255.254
DNSCACHEIP=$faults
ask -r hijack.test:text
warns 'a web server answers for a list: no listing' hijack.test 203.0.113.80
ask -c -r hijack.test:text
warns 'nor with -c' hijack.test 203.0.113.80
ask -r parked.test
warns 'it has a TXT for everybody, too' parked.test 203.0.113.80
ask -a hijack.test -r listed.test
warns 'nor does it let anybody in' hijack.test 203.0.113.80 '451 listed'
ask -r mixed.test
refuses '451 mixed' 'one answer that counts is enough'
ask -r txtonly.test
refuses '451 listed' 'a TXT alone lists, as ever'
ask -r txtonly.test=127.0.0.2
lets_in 'but no address'
ask -r afails.test
lets_in 'TXT without an answer about A: nobody knows'
ask -c -r afails.test
refuses '451 temporary RBL lookup error' 'and with -c that is a reason'
ask -r txtfails.test=127.0.0.2
refuses '451 blocked using txtfails.test' 'A without an answer about TXT: no text'
ask -r badtext.test -r control.test
refuses '451 a?b??????%s\~.' 'a broken text is none, and bytes are made printable'
ask -r long1000.test
is "$(printf %s "$out" | wc -c)" 204 'a text of 200 bytes at most, by TCP'
ask -r many100.test=127.0.0.99:text
refuses '451 text' 'a hundred addresses, by TCP'
ask -r servfail.test -r refused.test -r tcdead.test -r listed.test
refuses '451 listed' 'lists that fail are passed over'
ask -b -r servfail.test -r listed.test
refuses '451 listed' 'but then nobody is refused for good'
ask -b -c -r servfail.test:text -r listed.test
refuses '451 temporary RBL lookup error' '-c: the first that fails refuses'
ask -c -r listed.test*2 -s 3 -C -r servfail.test
lets_in '-C for the others' s/DOUBT=unset/DOUBT=2/
ask -a servfail.test -r listed.test
lets_in 'a list that allows and fails, allows'
ask -a servfail.test=127.0.0.2 -r listed.test
lets_in 'but does not speak for anybody'
ask -c -a servfail.test -b -r listed.test
refuses '451 listed' 'with -c it does not'
ask -r listed.test -a servfail.test*1
lets_in 'one with a weight counts as if it had the client'
ask -r listed.test -c -a servfail.test*1
refuses '451 listed' 'and with -c not'
DNSCACHEIP=127.0.0.1:9 ask -d 2 -r bl.test -r a.test:text
lets_in 'nobody at the port: let in'
DNSCACHEIP=nonsense ask -a servfail.test -d 1
like "$log" '^rblsmtpd: warning: DNSCACHEIP is no list of addresses$' 'a wrong DNSCACHEIP is told'
DNSCACHEIP=$real

# --- keys
secret=sesame
for list in $secret.bl.test#bl $secret.zen.dq.spamhaus.net \
	"$secret.x.test#bl=127.0.0.2*2"; do
	for way in -B -n -T -i; do
		DNSCACHEIP=$faults ask $way -r "$list"
		unlike "$out $log" $secret "$way shows no key of ${list#*.}"
	done
	DNSCACHEIP=127.0.0.1:9 ask -c -d 2 -r "$list"
	unlike "$out $log" $secret 'nor is it when it fails'
done
DNSCACHEIP=$faults
ask -r sesame.zen.dq.spamhaus.net
refuses '451 blocked using zen.dq.spamhaus.net' 'a zone with a key is shown without it'
ask -r sesame.bl.test#bl
refuses '451 blocked using bl' 'a name is shown in its place'
ask -r sesame.bl.test#bl:text
refuses '451 text' 'a message wins'
forget_questions
ask -r sesame.bl.test#bl -r sesame.zen.dq.spamhaus.net
is "$(grep -c TXT "$work/questions")" 0 'and TXT is not even asked for'
ask -r blocked.sesame.test#bl
warns 'a warning has the name' bl 127.255.255.254
env DNSCACHEIP="$faults" rblsmtpd -i -r listed.sesame.test#bl env >"$work/out" 2>/dev/null
is "$(sed -n 's/^RBLSMTPD=//p' "$work/out") $(grep -c sesame "$work/out")" \
	'[RBL info] blocked using bl 0' 'nor does the environment have it'
DNSCACHEIP=$real

# --- -i
ask -i -b -r bl.test
is "$out
$log" 'in RBLSMTPD=[RBL info] Listed, see http://bl.test/?192.0.2.1 JGREYLIST=unset DOUBT=1
rblsmtpd: 192.0.2.1 pid P: [RBL info] Listed, see http://bl.test/?192.0.2.1' \
	'-i tells the next program, and goes on'
ask -i -s 3 -r bl.test
lets_in 'below the threshold there is doubt alone' s/DOUBT=unset/DOUBT=1/
DNSCACHEIP=$faults ask -i -c -r servfail.test
is "$out" 'in RBLSMTPD=[RBL info] temporary RBL lookup error JGREYLIST=unset DOUBT=unset' \
	'a failure is told as well'

# --- IPv6
TCPREMOTEIP=2001:db8:1::9
ask -r bl.test
refuses '451 Listed, see http://bl.test/?2001:db8:1::9' 'IPv6 is asked in nibbles'
ask -a wl.test -r 'bl.test:%IP%'
refuses '451 2001:db8:1::9' 'and a message has it'
PROTO=TCP6 TCP6REMOTEIP=2001:db8:1::200 ask -a wl.test -r bl.test
lets_in 'a list that allows is asked for A, too'
TCPREMOTEIP=2001:DB8:1:0::7 ask -r bl.test
lets_in 'one that is not listed'
forget_questions
DNSCACHEIP=$faults TCPREMOTEIP=fe80::2%eth0 ask -r nx.bl.test:text
like "$(cat "$work/questions")" '^udp A 2\.(0\.){28}8\.e\.f\.nx\.bl\.test\.$' \
	'without the interface'
TCPREMOTEIP=::ffff:192.0.2.1 ask -r bl.test
export TCPREMOTEIP=192.0.2.1
refuses '451 Listed, see http://bl.test/?192.0.2.1' 'IPv4 in IPv6 clothes is asked as IPv4'

# --- files
cat >"$work/lists.conf" <<'END'
# Comments, and blank lines

	second.test=127.0.0.9:no	
  # of any kind
 =bl.test
+dnswl.test=127.0.[0..255].[1..3]
-a.test:Text with blanks, %IP%  
END
ask -f "$work/lists.conf" -r bl.test
is "$out
$log" '553 Text with blanks, 192.0.2.1
rblsmtpd: 192.0.2.1 pid P: bl.test, only logged: Listed, see http://bl.test/?192.0.2.1
rblsmtpd: 192.0.2.1 pid P: 553 Text with blanks, 192.0.2.1' \
	'a file of lists: = logs, - refuses for good'
TCPREMOTEIP=192.0.2.3 ask -f "$work/lists.conf"
is "$out" "$(echo "$in" | sed s/JGREYLIST=unset/JGREYLIST=/)" '+ allows'
printf 'a.test:-Never %%IP%%\r' >"$work/other.conf"
ask -f "$work/other.conf"
refuses '553 Never 192.0.2.1' 'a dash before the message, and no newline'
echo a.test:No >"$work/other.conf"
ask -B -r second.test=127.0.0.9 -b -f "$work/other.conf" -B
refuses '553 No' '-b counts at the place of the file'
printf '=dnswl.test*-1\n+wl.test\n' >"$work/other.conf"
TCPREMOTEIP=127.0.0.2 ask -r bl.test -f "$work/other.conf"
TCPREMOTEIP=127.0.0.2 refuses '451 Listed, see http://bl.test/?127.0.0.2' \
	'a list that is only logged takes nothing off: no other is heard'
: >"$work/other.conf"
ask -f "$work/other.conf"
lets_in 'an empty file has no lists'
for line in 'a.test:' 'a.test:-' '+' '-' '=:x' 'sesame.a.test#' \
	'sesame.a.test=127.1' 'sesame two words'; do
	printf '#\n\n%s\n' "$line" >"$work/other.conf"
	ask -f "$work/other.conf"
	is "$code $out" '100 ' "a line that is wrong: $line"
	like "$log" "^rblsmtpd: fatal: $work/other.conf:3: [a-z]" 'its number is told'
	unlike "$log" sesame 'but not the line'
done
printf '#\0\nbl.test\n' >"$work/other.conf"
ask -f "$work/other.conf"
is "$code $out$log" "100 rblsmtpd: fatal: $work/other.conf: it has a NUL byte" \
	'a NUL does not hide the lists behind it'
ask -f "$work/absent"
is "$code $log" "111 rblsmtpd: fatal: unable to read $work/absent: file does not exist" \
	'a file that is not there: 111'

# --- -n
ask -n -s 2 -r bl.test -a dnswl.test*1 -r a.test#mine -r refuse.test \
	-r empty.test -r blocked.test:x
is "$code $out" "0 $in" '-n lets in'
is "$log" 'rblsmtpd: 192.0.2.1 pid P: bl.test: listed 127.0.0.2, weight 1: Listed, see http://bl.test/?192.0.2.1
rblsmtpd: 192.0.2.1 pid P: dnswl.test: listed 127.0.5.0, weight -1
rblsmtpd: 192.0.2.1 pid P: mine: listed 127.0.0.2, weight 1: blocked using mine
rblsmtpd: 192.0.2.1 pid P: refuse.test: no answer
rblsmtpd: 192.0.2.1 pid P: empty.test: not listed
rblsmtpd: 192.0.2.1 pid P: blocked.test: not listed, in spite of 127.255.255.254
rblsmtpd: 192.0.2.1 pid P: would let it in, score 1' 'and says what each list said'
ask -n -b -r second.test -a dnswl.test
is "$out" "$in" 'those that it would refuse, too'
like "$log" ': would refuse it, score 1: 553 Second 192.0.2.1$' 'and what a refusal would be'
ask -n -a dnswl.test -r second.test
like "$log" ': would let it in, whatever else is said$' 'and what lets in at once'

# --- -T
# self_test OPTION…: what is said is in $out
self_test() {
	code=0
	out=$(rblsmtpd -T "$@" 2>&1) || code=$?
}
self_test -r bl.test -a wl.test -r a.test:x -r several.test=127.0.0.99
is "$code $out" '0 bl.test: ok, IPv4 127.0.0.2, IPv6 127.0.0.2
wl.test: ok, IPv4 127.0.0.3, IPv6 127.0.0.3
a.test: ok, IPv4 127.0.0.2, IPv6 127.0.0.2
several.test: ok, IPv4 127.0.0.2' '-T: lists as they should be'
code=0
log=$(rblsmtpd -T -r bl.test 2>&1 >/dev/full) || code=$?
is "$code $log" '111 rblsmtpd: fatal: unable to write output' \
	'a report that nobody gets is no success'
self_test -r bl.test -r a.test -r empty.test -r blocked.test -r refuse.test
is "$code $out" '1 bl.test: ok, IPv4 127.0.0.2, IPv6 127.0.0.2
a.test: has no TXT for 127.0.0.2, so it lists nobody unless it is given a message
empty.test: does not have 127.0.0.2
blocked.test: does not serve this resolver, or not so: 127.255.255.254
refuse.test: no answer' 'and some that are not'
DNSCACHEIP=$faults self_test -r listed.test -r hijack.test:x -r nx.test:x
is "$code $out" '1 listed.test: has 127.0.0.1, as if everybody were listed
hijack.test: is no list any more, or somebody else answers for it: 203.0.113.80
nx.test: does not have 127.0.0.2' 'everybody, somebody else, nobody'
DNSCACHEIP=127.0.0.1:9 self_test -d 2 -r bl.test
is "$code $out" '111 bl.test: no answer' 'no DNS at all: 111'
done_testing
