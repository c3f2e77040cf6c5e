#!/bin/sh
# queue-smtp: what it says to the next server, what it makes of the answers, and
# which of several servers it turns to; TLS, with our own smtpd behind it.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need perl openssl
. "$tests/maildir.sh"
. "$tests/next-server.sh"
. "$tests/tls.sh"
hand_on='queue-smtp -T none'
accepts='C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|D|S: 250 2.0.0 queued as X'

# script LINE|LINE…: each word of the arguments may have several lines
script() {
	script_ifs=$IFS
	IFS='|'
	# shellcheck disable=SC2048,SC2086 # parts between the bars
	serves $*
	IFS=$script_ifs
}

# --- one message
message 'Subject: hello' '' 'first' '.second' '.' 'last'
envelope s@example.net r@example.org
script 'S: 220 mx' 'C: EHLO' 'S: 250 mx' "$accepts"
hands_on 0 '' 'a message'
is "$(heard)" 'EHLO us.example
MAIL FROM:<s@example.net>
RCPT TO:<r@example.org>
DATA
.
QUIT' 'what the server hears'
sed 's/^\./../; s/$/\r/' "$work/message" >"$work/wanted"
same_file "$work/kept/1" "$work/wanted" 'the message has CRLF and its dots'
logs "^queue-smtp: delivered qp [0-9]+ bytes [0-9]+ from <s@example\\.net> to <r@example\\.org>: 127\\.0\\.0\\.1:$port: 250 2\\.0\\.0 queued as X\$" 'the log has one line'
printf 'no line end, a CR\ralone, one\r\nhere' >"$work/message"
hands_on 0 '' 'odd line ends'
printf 'no line end, a CR alone, one\r\nhere\r\n' >"$work/wanted"
same_file "$work/kept/2" "$work/wanted" 'are CRLF on their way, or blanks'
seq 1 300000 >"$work/message"
hands_on 0 '' 'a long message'
sed 's/$/\r/' "$work/message" >"$work/wanted"
same_file "$work/kept/3" "$work/wanted" 'is whole'
: >"$work/message"
hands_on 0 '' 'no byte at all'
same_file "$work/kept/4" "$work/message" 'is no byte'
QUEUE_SMTP="-h we.example -T none 127.0.0.1:$port" run queue-smtp
is "$code" 0 'the command line in QUEUE_SMTP'
like "$(heard)" '^EHLO we\.example$' '-h is the name'
echo remote.example >"$work/control/helohost"
hands_on 0 '' 'control/helohost'
like "$(heard)" '^EHLO remote\.example$' 'is the name before me'
echo 'bad name' >"$work/control/helohost"
hands_on 0 '' 'a name with a blank'
is "$(heard | grep -c '^EHLO us\.example$')" 5 'is none'
rm "$work/control/helohost"

# --- what it costs
cost='the system calls of a message'
if is_plain "$cost" && can_trace "$cost"; then
	if is_dynamic "$bin/queue-smtp"; then
		skip "the system's libc has calls of its own" "$cost"
	else
		envelope s@example.net r@example.org
		printf 'Subject: x\n\ntext\n' >"$work/message"
		run strace -f -o "$work/trace" queue-smtp -T none "127.0.0.1:$port"
		calls=$(grep -c '^[0-9]* *[a-z_0-9]*(' "$work/trace")
		if [ "$calls" -le 75 ]; then ok "$cost: $calls"
		else not_ok "$cost: $calls" "$(cat "$work/trace")"; fi
	fi
fi

# --- hello
message 'Subject: x' '' text
script 'S: 220 mx' 'C: EHLO' 'S: 502 what' 'C: HELO us.example' 'S: 250 mx' "$accepts"
hands_on 0 '' 'HELO'
script 'S: 220 mx' 'C: EHLO' 'S: 502 what' 'C: HELO' 'S: 550 5.7.1 who'
hands_on 82 'Zwho' 'neither is taken: not for ever'
script 'S: 554 5.7.1 go away'
hands_on 82 'Zgo away' 'nor is a refusing greeting'
script 'S: 220-mx' 'S: 220 ESMTP' 'C: EHLO' 'S: 250-mx' 'S: 250-PIPELINING' 'S: 250-SIZE' 'S: 250 8BITMIME' \
	'C: MAIL' 'C: RCPT' 'C: DATA' 'S: 250 ok' 'S: 250 ok' 'S: 354 go' D 'S: 250 ok'
hands_on 0 '' 'one packet'
like "$(heard)" "^MAIL FROM:<s@example\\.net> SIZE=$(sed 's/$/\r/' "$work/message" | wc -c)\$" 'SIZE'

# --- addresses
envelope 's t@example.net' 'r"x@example.org'
script 'S: 220 mx' 'C: EHLO' 'S: 250 mx' "$accepts"
hands_on 0 '' 'odd addresses'
like "$(heard)" '^MAIL FROM:<"s t"@example\.net>$' 'a blank is quoted'
like "$(heard)" '^RCPT TO:<"r\\"x"@example\.org>$' 'a quote, too'
envelope s@example.net "$(printf 'r\303\244@example.org')"
hands_on 82 'D.*\(#5\.6\.7\)' 'an address that the server cannot take'
is "$(heard | tail -n 1)" QUIT 'is not asked about'
envelope s@example.net r@example.org

# --- refusals
says() {
	script 'S: 220 mx' 'C: EHLO' 'S: 250 mx' "$@"
}
says 'C: MAIL' 'S: 550-5.7.1 not' 'S: 550 5.7.1 you'
hands_on 82 'D5\.7\.1 not you' 'MAIL'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 550 5.1.1 unknown'
hands_on 82 'D5\.1\.1 unknown' 'RCPT'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 450 4.2.0 greylisted'
hands_on 82 'Z4\.2\.0 greylisted' 'RCPT, for now'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 554 5.7.1 no'
hands_on 82 'D5\.7\.1 no' 'DATA'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|D|S: 554 5.7.1 spam'
hands_on 82 'D5\.7\.1 spam' 'the message'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|D|S: 451 4.7.1 later'
hands_on 82 'Z4\.7\.1 later' 'the message, for now'
seq 1 3000000 >"$work/message"
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|d 100000|S: 552 5.3.4 too much|close'
hands_on 82 'D5\.3\.4 too much' 'a server that has had enough in the middle'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|d 100000|close'
hands_on 74 '' 'one that is gone in the middle'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|stop'
# shellcheck disable=SC2086 # a command
timed run $hand_on -t 1 "127.0.0.1:$port"
is "$code" 72 'one that reads no more'
is_at_most 5000 'is given up in time'
message 'Subject: x' '' text

# --- several recipients: all or none
envelope s@example.net a@example.org b@example.org c@example.org
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: RCPT|S: 251 ok|C: RCPT|S: 252 ok|C: DATA|S: 354 go|D|S: 250 ok'
hands_on 0 '' 'all of three'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: RCPT|S: 550 5.1.1 who|C: RCPT|S: 250 ok|C: DATA'
hands_on 82 'Z4\.5\.3 not all of 3 recipients are taken, send to each of them alone: <b@example\.org>: 5\.1\.1 who' 'one of three'
unlike "$(heard)" DATA 'nobody gets it'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 550 5.1.1 who|C: RCPT|S: 550 b|C: RCPT|S: 550 c'
hands_on 82 'D5\.1\.1 who' 'none of three, for ever'
says 'C: MAIL|S: 250 ok|C: RCPT|S: 450 4.2.0 not now|C: RCPT|S: 450 b|C: RCPT|S: 450 c'
hands_on 82 'Z4\.2\.0 not now' 'none of three, for now'
envelope s@example.net r@example.org

# --- several servers
# second LINE…: a server that accepts, behind one that says these lines
second() {
	script "$@"
	first_server=$next_server
	first=$port
	next_server=
	script 'S: 220 mx|C: EHLO|S: 250 mx' "$accepts"
	# shellcheck disable=SC2086 # a command
	run $hand_on -t 6 "127.0.0.1:$first" "127.0.0.1:$port"
	stop "$first_server"
}
second close
is "$code" 0 'a greeting that does not come: the second server'
logs "^queue-smtp: warning: 127\\.0\\.0\\.1:$first: .*; the next server is tried\$" 'the log has the first one'
logs "delivered .*: 127\\.0\\.0\\.1:$port: 250" 'and the second'
second 'S: 421 4.3.2 busy'
is "$code" 0 '421: the second server'
logs "warning: 127\\.0\\.0\\.1:$first: 421 4\\.3\\.2 busy; the next" 'the log has the reply'
second 'S: 554 no'
is "$code" 0 '554 in the greeting: the second server'
second sleep
is "$code" 0 'one that hangs leaves time for the second'
second 'S: 220 mx|C: EHLO|S: 250 mx|C: MAIL|S: 421 closing'
is "$code" 0 '421 to MAIL: the second server'
second 'S: 220 mx|C: EHLO|S: 250 mx|C: MAIL|S: 250 ok|C: RCPT|close'
is "$code" 0 'gone before the message: the second server'
second 'S: 220 mx|C: EHLO|S: 250 mx|C: MAIL|S: 250 ok|C: RCPT|S: 450 later'
is "$code/$(text)" 82/Zlater 'a refusal is an answer'
second 'S: 220 mx|C: EHLO|S: 250 mx|C: MAIL|S: 250 ok|C: RCPT|S: 250 ok|C: DATA|S: 354 go|D|close'
is "$code" 74 'gone behind the message: it may have it'
run queue-smtp 127.0.0.1:1
is "$code" 73 'nobody listens'
logs 'deferred .*: 127\.0\.0\.1:1: cannot connect: connection refused$' 'and the log says so'
DNSCACHEIP=127.0.0.1:1 run queue-smtp -t 20 -c 2 no-host.invalid
is "$code" 56 'no such host'
logs 'host not found' 'and the log says so'

everything_goes_wrong EHLO

# --- TLS
stop "$next_server"
next_server=
make_ca
make_ca other
make_certificate mx localhost
make_certificate wrong elsewhere.example
message 'Subject: x' '' 'this is no secret'
maildirs A
echo example.org >"$work/control/rcpthosts"
# tls_server CERTIFICATE LOG OPTION…: our smtpd, with STARTTLS given -n
tls_server() {
	[ -z "${tls_server:-}" ] || stop "$tls_server"
	tls_certificate=$1
	shift
	CERTFILE=$work/$tls_certificate QMAILQUEUE=$bin/queue-maildir QUEUE_MAILDIR=$work/A \
		start_sslserver "$@" -- "$bin/smtpd"
	tls_server=$server
}
# secures CODE POLICY NAME [OPTION…]: to localhost, and to the Maildir if the code
# is 0
secures() {
	secures_code=$1 secures_policy=$2 secures_name=$3
	shift 3
	maildirs A
	run queue-smtp -t 20 -T "$secures_policy" "$@" "localhost:$port"
	is "$code" "$secures_code" "$secures_name: exit $secures_code"
	secures_count=0
	[ "$secures_code" != 0 ] || secures_count=1
	is "$(files A/new)" "$secures_count" "$secures_name: $secures_count delivered"
}
is_encrypted() {
	logs "delivered .*: localhost:$port by TLSv1\\.3$2: 250 " "$1: the log"
}
tls_server mx "$work/tls.log" -n
secures 0 none 'none'
like "$(cat "$work/A/new/"*)" 'with SMTP;' 'is in the clear'
secures 0 may 'may'
is_encrypted 'may, where it can be had' ''
like "$(cat "$work/A/new/"*)" 'encrypted SMTP;' 'and the server says so'
secures 0 must 'must'
is_encrypted 'must' ''
secures 0 verify 'verify' -A "$work/ca.pem"
is_encrypted 'verify' ', verified'
secures 82 verify 'another authority' -A "$work/other.pem"
is "$(text)" 'Zno TLS with the mail server (#4.7.5)' 'what the client is told'
logs 'no TLS: .*unable to get local issuer certificate' 'what the log is told'
secures 82 verify "the system's authorities"
run queue-smtp -T verify -A "$work/ca.pem" "127.0.0.1:$port"
is "$code" 0 'an address in the certificate'
secures 82 verify 'no such file of authorities' -A "$work/none"
tls_server wrong "$work/tls2.log" -n
secures 82 verify 'another name' -A "$work/ca.pem"
logs 'no TLS: hostname mismatch' 'what the log is told'
secures 0 must 'whoever it is'
tls_server mx "$work/tls3.log"
secures 0 may 'at once' -x
is_encrypted 'at once' ''
secures 0 verify 'at once, verified' -x -A "$work/ca.pem"
is_encrypted 'at once, verified' ', verified'
secures 82 verify 'at once, another authority' -x -A "$work/other.pem"
seq 1 500000 | sed 's/$/ some text for a long message/' >"$work/message"
secures 0 must 'a long message' -x
sed '1,/^  by /d' "$work/A/new/"* | tail -n 500000 >"$work/got"
same_file "$work/got" "$work/message" 'is whole'
is "$(wc -c <"$work/got")" "$(wc -c <"$work/message")" 'as long as it was'
message 'Subject: x' '' text

# A server that does not go: neither do we wait for it, nor does who waits for our
# last descriptor.
cat >"$work/stays" <<'END'
#!/bin/sh
reply() { printf '%s\r\n' "$1"; }
reply '220 mx'
while read -r line; do
	case $line in
	DATA*)
		reply '354 go'
		while read -r line && [ "$line" != "$(printf '.\r')" ]; do :; done
		reply '250 ok'
		;;
	QUIT*) sleep 30 ;;
	*) reply '250 ok' ;;
	esac
done
END
chmod 755 "$work/stays"
CERTFILE=$work/mx start_sslserver "$work/stays.log" -- "$work/stays"
hang_on() {
	{
		queue-smtp -x "localhost:$port" <"$work/message" 1<"$work/envelope" 2>"$work/log" 6>&7 4>&7
		echo "exit $?" >"$work/exit"
	} 7>&1 | cat >"$work/text"
}
timed hang_on
is "$(cat "$work/exit")" 'exit 0' 'a server that stays'
is_at_most 5000 'nobody waits for its end'
stop "$server"

# servers that only say they have TLS
starttls='S: 220 mx|C: EHLO|S: 250-mx|S: 250 STARTTLS|C: STARTTLS'
says "$accepts"
hand_on='queue-smtp -t 5'
hands_on 0 '' 'no TLS there: may'
hand_on='queue-smtp -t 5 -T must'
hands_on 82 'Zno TLS with the mail server \(#4\.7\.5\)' 'no TLS there: must'
is "$(heard | tail -n 2 | tr '\n' ' ')" 'EHLO us.example QUIT ' 'it hears of no message'
script "$starttls|S: 454 not now"
hands_on 82 'Zno TLS .*' 'STARTTLS is not granted'
script "$starttls|S: 220 go|S: not TLS at all"
hands_on 82 'Zno TLS .*' 'junk in place of TLS'
logs 'no TLS: wrong version number|no TLS: .*record' 'what the log is told'
script "$starttls|S: 220 go\r\n250 injected"
hands_on 82 'Zno TLS .*' 'a reply in the clear behind the last one'
script "$starttls|S: 220 go|sleep"
hand_on='queue-smtp -t 2 -T must'
timed hands_on 82 'Zno TLS .*' 'a handshake that hangs'
is_at_most 5000 'ends in time'
script "$starttls|S: 220 go|close"
hands_on 82 'Zno TLS .*' 'a handshake that is cut off'
# A second connection runs through the same script, in the clear.
hand_on='queue-smtp -t 5 -T may'
script 'S: 220 mx|C: EHLO|S: 250-mx|S: 250 STARTTLS|C?|S: 220 go|C: RCPT|S: 250 ok|C: DATA|S: 354 go|D|S: 250 ok'
hands_on 0 '' 'may: a handshake that fails, then without'
logs 'no TLS: .*; going on without' 'and the log says so'

# --- a login
printf 'user\npass word\n' >"$work/login"
chmod 600 "$work/login"
hand_on="queue-smtp -t 5 -a $work/login"
says "$accepts"
hands_on 82 'Zno TLS .*' 'no password without TLS'
unlike "$(heard)" AUTH 'it hears none'
CERTFILE=$work/mx start_sslserver "$work/auth.log" -n -- sh -c "CERTFILE= QMAILQUEUE=$bin/queue-maildir QUEUE_MAILDIR=$work/A exec smtpd mx.example checker true"
auth_server=$server
maildirs A
hand_on="queue-smtp -t 30 -T verify -A $work/ca.pem -a $work/login"
printf 'tim\nsecret' >"$work/login"
hands_on 0 '' 'a login' "localhost:$port"
like "$(cat "$work/A/new/"*)" 'tim' 'is taken'
unlike "$(cat "$work/log")" secret 'the log does not know it'
printf 'tim\nwrong\n' >"$work/login"
hands_on 82 'Zthe mail server does not take our login \(#4\.7\.0\)' 'a wrong one' "localhost:$port"
logs 'the login is not taken: 535 ' 'is said in the log'
unlike "$(cat "$work/log")" wrong 'without the password'
stop "$auth_server"
hand_on='queue-smtp -t 5'
for words in '-T none' '-T must -x -T none'; do
	code=0
	# shellcheck disable=SC2086 # words
	queue-smtp -a "$work/login" $words /x <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
	is "$code" 100 "a login and $words"
done
for login in '' 'user' 'user\n' 'user\npass\nmore\n' '\npass\n' 'user\0\npass\n'; do
	# shellcheck disable=SC2059 # the login is a format
	printf "$login" >"$work/login"
	code=0
	queue-smtp -a "$work/login" /x <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
	is "$code" 100 "a file of a login: '$login'"
done

# --- wrong use
for words in '' '-z x' '-T' '-T perhaps x' '-x -T none x' '-t 0 x' 'x:y'; do
	code=0
	# shellcheck disable=SC2086 # words
	queue-smtp $words <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
	is "$code" 100 "wrong use: '$words'"
done
done_testing
