#!/bin/sh
# queue-lmtp: what it says to a store, what it makes of the answers, and of stores
# that hang, break, or lie.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need perl
. "$tests/maildir.sh"
. "$tests/next-server.sh"

# --- one message
message 'Subject: hello' '' 'first' '.second' '.' 'last'
envelope s@example.net r@example.org
serves 'S: 220 store' 'C: LHLO us.example' 'S: 250-store' 'S: 250 8BITMIME' \
	'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D \
	'S: 250 2.0.0 <r@example.org> Saved'
hands_on 0 '' 'a message'
is "$(heard)" 'LHLO us.example
MAIL FROM:<s@example.net>
RCPT TO:<r@example.org>
DATA
.
QUIT' 'what the store hears'
sed 's/^\./../; s/$/\r/' "$work/message" >"$work/wanted"
same_file "$work/kept/1" "$work/wanted" 'the message has CRLF and its dots'
logs "^queue-lmtp: delivered qp [0-9]+ bytes [0-9]+ from <s@example\\.net> to <r@example\\.org>: 127\\.0\\.0\\.1:$port: 250 2\\.0\\.0 <r@example\\.org> Saved\$" 'the log has one line'
is "$(wc -l <"$work/log")" 1 'and no more'

# --- the same at once, through a socket of its own
serves 'S: 220 store' 'C: LHLO' 'S: 250-store' 'S: 250 PIPELINING' \
	'C: MAIL' 'C: RCPT' 'C: DATA' 'S: 250 ok' 'S: 250 ok' 'S: 354 go' D 'S: 250 ok'
hands_on 0 '' 'one packet'
stop "$next_server"
next_server=
start_server "$work/said" smtp-server -u "$work/socket" "$work/script"
next_server=$server
hands_on 0 '' 'a unix socket' "$work/socket"
stop "$next_server"
next_server=
QUEUE_LMTP="-t 20  $work/none" run queue-lmtp
is "$code" 56 'the command line in QUEUE_LMTP'
logs ": $work/none: cannot connect: file does not exist\$" 'and why'

# --- parameters
printf 'Subject: \303\244\n\n\303\266\n' >"$work/message"
envelope 's@example.net' 'r@example.org'
serves 'S: 220 store' 'C: LHLO' 'S: 250-store' 'S: 250-size 1000' \
	'S: 250-8BitMIME' 'S: 250 SMTPUTF8' \
	'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 250 ok'
hands_on 0 '' 'extensions'
like "$(heard)" '^MAIL FROM:<s@example\.net> SIZE=19 BODY=8BITMIME$' 'SIZE and BODY'
envelope 's@example.net' "$(printf 'r\303\244@example.org')"
hands_on 0 '' 'an address beyond ASCII'
like "$(heard)" ' SMTPUTF8$' 'needs SMTPUTF8'
envelope '' '"a b'
serves 'S: 220 store' 'C: LHLO' 'S: 250 store' \
	'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 250 ok'
hands_on 0 '' 'no sender, an odd recipient'
like "$(heard)" '^MAIL FROM:<>$' 'MAIL FROM:<>'
like "$(heard)" '^RCPT TO:<"\\"a b">$' 'the recipient is quoted'
envelope "$(printf 's\nRCPT TO:<x@example.org>')@example.net" 'r@example.org'
hands_on 82 'D.*\(#5\.1\.3\)' 'a line end in an address'
is "$(grep -c end "$work/said")" 1 'nobody is asked'
envelope s@example.net
run queue-lmtp "127.0.0.1:$port"
is "$code" 91 'no recipient'

# --- refusals
# says LINE…: behind the greeting and hello
says() {
	serves 'S: 220 store' 'C: LHLO' 'S: 250 store' "$@"
}
message 'Subject: x' '' text
envelope s@example.net r@example.org
says 'C: MAIL' 'S: 550-5.7.1 not' 'S: 550 5.7.1 you'
hands_on 82 'D5\.7\.1 not you' 'MAIL'
logs "refused .*: 127\\.0\\.0\\.1:$port: 550 5\\.7\\.1 not you\$" 'the log has the reply'
is "$(heard | tail -n 1)" QUIT 'goodbye'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' "S: 550 5.1.1 <r@example.org> User doesn't exist"
hands_on 82 "D5\\.1\\.1 <r@example\\.org> User doesn't exist" 'RCPT'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 451 4.3.0 later'
hands_on 82 'Z4\.3\.0 later' 'RCPT, for now'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 554 no'
hands_on 82 'Dno' 'DATA'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 552 5.2.2 Quota exceeded'
hands_on 82 'D5\.2\.2 Quota exceeded' 'the message'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 450'
hands_on 82 'Zthe mail server refused it for now without a reason \(#4\.3\.0\)' 'no text'
says 'C: MAIL' 'S: 550 5.7.1 \x1b[1m\r250 ok\xff'
hands_on 82 'D5\.7\.1 \?\[1m\?250 ok\?' 'odd bytes in a text'
unlike "$(LC_ALL=C tr -d '\n -~' <"$work/log")" . 'none in the log'
says 'C: MAIL' "S: 550 5.7.1 $(printf '%01000d' 0)"
hands_on 82 'D5\.7\.1 0*\.\.\.' 'a long text'
is "$(text | wc -c)" 255 'is cut'
code=0
{
	queue-lmtp "127.0.0.1:$port" <"$work/message" 1<"$work/envelope" 2>"$work/log" 6>&- 4>&- || code=$?
} 2>/dev/null
is "$code" 31 'nobody listens for texts'
says 'C: MAIL' 'S: 451 x'
code=0
queue-lmtp "127.0.0.1:$port" <"$work/message" 1<"$work/envelope" 2>"$work/log" 6>&- 4>&- || code=$?
is "$code" 71 'nor for those of try again'

# with PIPELINING, what was said too much is heard
pipelined() {
	serves 'S: 220 store' 'C: LHLO' 'S: 250-store' 'S: 250 PIPELINING' "$@"
}
pipelined 'C: MAIL' 'C: RCPT' 'C: DATA' 'S: 250 ok' 'S: 550 5.1.1 who' 'S: 503 nobody'
hands_on 82 'D5\.1\.1 who' 'RCPT, pipelined'
is "$(heard | tail -n 1)" QUIT 'goodbye behind it'
pipelined 'C: MAIL' 'C: RCPT' 'C: DATA' 'S: 550 you' 'S: 503 who' 'S: 503 nobody'
hands_on 82 'Dyou' 'MAIL, pipelined'
is "$(heard | tail -n 1)" QUIT 'goodbye behind that'
pipelined 'C: MAIL' 'C: RCPT' 'C: DATA' 'S: 250 ok' 'S: 550 5.1.1 who' 'S: 354 go' D 'S: 250 ok'
hands_on 82 'D5\.1\.1 who' 'a store that wants the message all the same'
is "$(heard | tail -n 1)" 'the message was cut off' 'does not get it'

# --- several recipients
envelope s@example.net a@example.org b@example.org c@example.org
three() {
	says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' \
		'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D "$@"
}
three 'S: 250 one' 'S: 250 two' 'S: 250 three'
hands_on 0 '' 'all of three have it'
three 'S: 552 one' 'S: 552 two' 'S: 550 three'
hands_on 82 'Done' 'none of three, for ever'
three 'S: 452 one' 'S: 452 two' 'S: 450 three'
hands_on 82 'Zone' 'none of three, for now'
three 'S: 250 one' 'S: 552 5.2.2 two' 'S: 452 three'
hands_on 82 'Z4\.5\.3 not all of 3 recipients .*<b@example\.org>: 5\.2\.2 two' 'they differ'
logs 'has delivered to 1 of 3 recipients, who will get it again' 'one may get it twice'
logs 'refused 1 of 3 recipients, first b@example\.org: 552 5\.2\.2 two' 'who is refused'
logs 'deferred 1 of 3 recipients, first c@example\.org: 452 three' 'who is deferred'
three 'S: 250 one' 'S: 250 two' close
hands_on 74 '' 'gone in the middle of the answers'
logs 'has delivered to 2 of 3 recipients, who will get it again' 'two may get it twice'
three 'S: 250 one' 'S: 250 two' sleep
hands_on 72 '' 'hung in the middle of the answers' -t 1 "127.0.0.1:$port"
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: RCPT' 'S: 550 5.1.1 two' \
	'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 250 one' 'S: 250 three'
hands_on 82 'Z4\.5\.3 .*<b@example\.org>: 5\.1\.1 two' 'one of three is unknown'
unlike "$(heard)" DATA 'nobody gets it'
unlike "$(cat "$work/log")" 'get it again' 'nor twice'
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 550 5.1.1 one' 'C: RCPT' 'S: 550 two' 'C: RCPT' 'S: 550 three'
hands_on 82 'D5\.1\.1 one' 'all three are unknown'
# shellcheck disable=SC2046 # words
envelope s@example.net $(seq -f 'user-%g@example.org' 1 130)
# Groups of 50, each heard before the next.
recipients() {
	seq "$1" | while read -r _; do printf '%s\n' "$2"; done
}
{
	printf '%s\n' 'S: 220 store' 'C: LHLO' 'S: 250-store' 'S: 250 PIPELINING' 'C: MAIL'
	recipients 50 'C: RCPT'
	recipients 51 'S: 250 ok'
	recipients 50 'C: RCPT'
	recipients 50 'S: 250 ok'
	recipients 30 'C: RCPT'
	recipients 30 'S: 250 ok'
	printf '%s\n' 'C: DATA' 'S: 354 go' D
	recipients 130 'S: 250 saved'
} >"$work/many"
stop "$next_server"
start_server "$work/said" smtp-server -o "$work/kept" "$work/many"
next_server=$server
hands_on 0 '' '130 recipients'

# --- several stores
envelope s@example.net r@example.org
says 'C: MAIL' 'S: 250 ok' 'C: RCPT' 'S: 250 ok' 'C: DATA' 'S: 354 go' D 'S: 250 ok'
hands_on 0 '' 'the second store' "$work/none" "127.0.0.1:$port"
logs "^queue-lmtp: warning: $work/none: cannot connect: file does not exist; the next server is tried\$" 'the log has the first'

everything_goes_wrong LHLO

# --- wrong use
for words in '' '-h /x' '-z /x' '-t 0 /x' '-t x /x' 'nonsense:' '/x :24'; do
	code=0
	# shellcheck disable=SC2086 # words
	queue-lmtp $words <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
	is "$code" 100 "wrong use: '$words'"
done
code=0
queue-lmtp -h 'a
b' /x <"$work/message" 1<"$work/envelope" 2>"$work/log" || code=$?
is "$code" 100 'wrong use: a name of two lines'
done_testing
