#!/bin/sh
# jgreylist: the conversation with a client that is not let in, however it
# behaves.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"
need perl
TCPREMOTEIP=192.0.2.7
JGREYLIST_LOG_PID=0
export TCPREMOTEIP JGREYLIST_LOG_PID

# talk STEP…: on-socket's, for a client that is denied; $out, $log, $code, $ms
talk() {
	begun=$(date +%s%N)
	code=0
	JGREYLIST='not you' on-socket "$@" -- jgreylist "$work/none" \
		>"$work/out" 2>"$work/err" || code=$?
	ms=$((($(date +%s%N) - begun) / 1000000))
	out=$(tr -d '\r' <"$work/out")
	log=$(cat "$work/err")
}
refusal='553 DENIED not you'
greeting='220 jgreylist v8'
welcome='250 jgreylist v8'
farewell='221 jgreylist v8'
denied='jgreylist: 192.0.2.7: DENY blacklisted'

# --- what is said
talk expect='220 .*\n' 'send=EHLO a\r\n' expect='250 .*\n' 'send=mail FROM:<>\r\n' \
	expect='250 .*\n' 'send=Rcpt TO:<b>\r\n' expect='553 .*\n' \
	'send=DATA\r\n' expect='553 .*\n' 'send=rset\r\n' expect='250 .*\n' \
	'send=helo a\r\n' expect='250 .*\n' 'send=NOOP\r\n' expect='553 .*\n' \
	'send=STARTTLS\r\n' expect='553 .*\n' 'send=\r\n' expect='553 .*\n' \
	'send=quit\r\n' end unbroken
is "$code|$out" "0|$greeting
$welcome
$welcome
$refusal
$refusal
$welcome
$welcome
$refusal
$refusal
$refusal
$farewell" 'each command has its reply at once'
is "$log" "$denied" 'the log does not say more than who'
is "$(tr -cd '\r' <"$work/out" | wc -c)" 11 'each line ends with CRLF'
talk 'send=EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\nQUIT\r\n' \
	end unbroken
is "$code|$out" "0|$greeting
$welcome
$welcome
$refusal
$refusal
$refusal
$farewell" 'a session that is sent in one piece'
talk 'send=EHLO a\nRCPT\nQUIT\n' end unbroken
is "$out" "$greeting
$welcome
$refusal
$farewell" 'bare LF'
talk 'slow=EHLO a\r\nQUIT\r\n' end
is "$out" "$greeting
$welcome
$farewell" 'byte by byte'
JGREYLIST_BANNER=$(printf 'mx.example ESMTP\r\n250 x')
export JGREYLIST_BANNER
talk 'send=EHLO a\r\nQUIT\r\n' end
is "$out" '220 mx.example ESMTP??250 x
250 mx.example ESMTP??250 x
221 mx.example ESMTP??250 x' 'BANNER is behind the code'
export JGREYLIST_BANNER=
talk 'send=QUIT\r\n' end
is "$out" "$greeting
$farewell" 'an empty one is none'
unset JGREYLIST_BANNER

# --- too many recipients
for limit in 1 3; do
	export JGREYLIST_LIMIT=$limit
	refused=
	[ $limit -eq 1 ] || refused="$refusal
$refusal
"
	talk expect='220' 'send=EHLO a\r\nMAIL FROM:<>\r\n' \
		'send=RCPT TO:<b>\r\nrcpt TO:<c>\r\nRcpt TO:<d>\r\n' \
		'send=RCPT TO:<e>\r\nQUIT\r\n' end close
	is "$code|$out" "0|$greeting
$welcome
$welcome
${refused}421 Too many RCPT commands, goodbye." \
		"LIMIT=$limit: hangs up at that one"
	is "$log" "$denied
jgreylist: 192.0.2.7: HANGUP too many RCPT commands" 'and says so'
done
export JGREYLIST_LIMIT=-1 JGREYLIST_LOG=0
talk 'send=RCPT TO:<b>\r\nRCPT TO:<c>\r\n' end unbroken
is "$out" "$greeting
421 Too many RCPT commands, goodbye." 'less than no recipient is none'
is "$log" 'jgreylist: 192.0.2.7: HANGUP too many RCPT commands' \
	'LOG=0: the log has it all the same'
unset JGREYLIST_LOG
for limit in 0 '' abc; do
	export JGREYLIST_LIMIT="$limit"
	talk 'times=30:RCPT TO:<b>\r\n' 'send=QUIT\r\n' end
	is "$(printf '%s\n' "$out" | grep -c "^$refusal\$")" 30 \
		"LIMIT='$limit': no limit"
done
unset JGREYLIST_LIMIT

# --- clients that go
talk expect=220 'send=EHLO a\r\n' shut end unbroken
is "$code|$out" "0|$greeting
$welcome" 'a half-close is the end: no loop of replies'
talk 'send=RCPT TO:<b>' shut end unbroken
is "$code|$out" "0|$greeting" 'a half-close in the middle of a command'
talk shut end
is "$code|$out" "0|$greeting" 'without a word'
for way in close reset; do
	talk expect=220 'send=RCPT\r\nRCPT\r\n' $way
	is "$code|$log" "0|$denied" "$way: exits 0"
	talk $way
	is "$code|$log" "0|$denied" "$way at once: exits 0"
done
is "$ms" "$(if [ "$ms" -lt 20000 ]; then echo "$ms"; fi)" 'and none waits'

# --- clients that send anything
talk "times=100000:0123456789" 'send=\r\nQUIT\r\n' end
is "$code|$out" "0|$greeting
$refusal
$farewell" 'a line of a megabyte gets one reply'
talk 'send=\x00\r\nRCPT\x00\r\nEHLO\x00a\r\n\xff\xfe\r\n\r\r\n\nQUIT\r\n' end
is "$code|$out" "0|$greeting
$(for _ in 1 2 3 4 5 6; do echo "$refusal"; done)
$farewell" 'NULs and other bytes are no commands'
export JGREYLIST_LOG_SMTP=1
talk 'send=RCPT\x00\x1b[2J\xe9\r\nQUIT\r\n' end
is "$log" "$denied
jgreylist: >>> $greeting
jgreylist: <<< RCPT??[2J?
jgreylist: >>> $refusal
jgreylist: <<< QUIT
jgreylist: >>> $farewell" 'LOG_SMTP=1: made printable'
talk "times=1000:0123456789" 'send=\r\nQUIT\r\n' end
is "$(printf '%s\n' "$log" | awk 'length > 600')" '' \
	'LOG_SMTP=1: no line is longer than it may be'
talk 'times=20000:RCPT TO:<b>\r\n' 'send=QUIT\r\n' end
is "$(printf '%s\n' "$log" | wc -l) $(printf '%s\n' "$log" | tail -n 1)" \
	'102 jgreylist: 192.0.2.7: 39903 more such lines' \
	'LOG_SMTP=1: a client that goes on and on does not fill the log'
unset JGREYLIST_LOG_SMTP

# --- clients that wait, or never read
export JGREYLIST_TIMEOUT=1
talk expect=220 'send=EHLO a\r\n' end unbroken
is "$code|$out" "0|$greeting
$welcome
421 timeout" 'TIMEOUT=1: a client that waits is told when the time is over'
is "$((ms >= 5000 && ms < 15000))" 1 "that is after 5 seconds ($ms ms)"
talk 'blind=400000:RCPT TO:<b>\r\n'
is "$code" 0 'a client that sends and never reads'
is "$((ms < 25000))" 1 "does not hold it for longer ($ms ms)"
name='TIMEOUT=9999 is 300'
if is_plain "$name" && can_trace "$name"; then
	for value in 9999 99999999999999999999; do
		JGREYLIST=no JGREYLIST_TIMEOUT=$value on-socket 'expect=220' \
			'send=QUIT\r\n' end -- strace -o "$work/trace" \
			-e trace=poll,ppoll jgreylist true >/dev/null 2>&1
		like "$(sed -n 's/^poll.*, \([0-9]*\)) .*/\1/p' "$work/trace")" \
			'^(300000|299[0-9]{3}|29[0-8][0-9]{3})$' "$name ($value)"
	done
fi

# --- small
if is_dynamic "$bin/jgreylist"; then
	skip 'its shared libraries alone take more' 'in 3 MB'
elif is_plain 'in 3 MB' && is_here softlimit 'in 3 MB'; then
	for wanted in 'GREY first time' 'GREY too soon' 'OK known'; do
		code=0
		softlimit -m 3000000 -o 20 jgreylist true <"$work/client" \
			>"$work/out" 2>"$work/err" || code=$?
		is "$code|$(cat "$work/err")" "0|jgreylist: 192.0.2.7: $wanted" \
			"in 3 MB: $wanted"
		age 192/000/002 "$(case $wanted in *first*) echo 0 ;; *) echo 3600 ;; esac)"
	done
	JGREYLIST='not you' on-socket "times=100000:0123456789" \
		'send=\r\nQUIT\r\n' end -- softlimit -m 3000000 jgreylist true \
		>"$work/out" 2>"$work/err"
	is "$(tr -d '\r' <"$work/out")" "$greeting
$refusal
$farewell" 'and a line of a megabyte does not need more'
fi
done_testing
