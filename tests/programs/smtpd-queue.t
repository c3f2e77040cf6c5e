#!/bin/sh
# What smtpd does with its queue program: cases 51 to 53 of the list, and all
# that qmail-queue(8) promises such a program: descriptors, envelope, exit codes,
# custom texts. tests/queue-stub does what each message's X-Plan field says.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
ulimit -c 0

# message PLAN REPLY: a transaction in the words of tests/dialogue
message() {
	cat <<-END
	C: MAIL FROM:<>
	C: RCPT TO:<u@example.org>
	C: DATA
	S*2: 250 ok
	S: 354 go ahead
	C: X-Plan: $1
	C:
	C: text
	C: .
	S: $2
	E: *
	END
}
# conversation TITLE: a new case
conversation() {
	printf '\n== %s\n' "$1"
}

reply_of_code() {
	case $1 in
	0) echo '250 ok * qp *' ;;
	11 | 115) echo '554 envelope address too long for qq (#5.1.3)' ;;
	31) echo '554 mail server permanently rejected message (#5.3.0)' ;;
	32 | 35) echo '554 Private key file does not exist (#5.3.5)' ;;
	33) echo '554 Message contains virus (#5.7.1)' ;;
	34) echo '554 Message contains banned attachment (#5.7.1)' ;;
	51) echo '451 qq out of memory (#4.3.0)' ;;
	52) echo '451 qq timeout (#4.3.0)' ;;
	53) echo '451 qq write error or disk full (#4.3.0)' ;;
	54) echo '451 qq read error (#4.3.0)' ;;
	55) echo '451 qq unable to read configuration (#4.3.0)' ;;
	56) echo '451 qq trouble making network connection (#4.3.0)' ;;
	61) echo '451 qq trouble in home directory (#4.3.0)' ;;
	62 | 63 | 64 | 65 | 66)
		echo '451 qq trouble creating files in queue (#4.3.0)' ;;
	71) echo '451 mail server temporarily rejected message (#4.3.0)' ;;
	72) echo '451 connection to mail server timed out (#4.4.1)' ;;
	73) echo '451 connection to mail server rejected (#4.4.1)' ;;
	74) echo '451 communication with mail server failed (#4.4.2)' ;;
	81 | 91) echo '451 qq internal bug (#4.3.0)' ;;
	120) echo '451 unable to exec qq (#4.3.0)' ;;
	*)
		if [ "$1" -ge 11 ] && [ "$1" -le 40 ]; then
			echo '554 qq permanent problem (#5.3.0)'
		else
			echo '451 qq temporary problem (#4.3.0)'
		fi ;;
	esac
}

code=0
while [ $code -le 255 ]; do
	conversation "51: exit code $code"
	echo 'S: 220 *'
	message "exit=$code" "$(reply_of_code $code)"
	code=$((code + 1))
done >"$work/codes.txt"
dialogues "$work/codes.txt"

{
for signal in 1 2 6 9 11 13 14 15 25; do
	conversation "51: killed by signal $signal"
	echo 'S: 220 *'
	message "signal=$signal" '451 qq crashed (#4.3.0)'
	echo 'C: NOOP'
	echo 'S: 250 ok'
done

for fd in 4 6; do for code in 82 88; do
	conversation "51: custom texts on descriptor $fd, exit code $code"
	echo 'S: 220 *'
	message "text=$fd:DYour%20mail%20is%20bad%20(%235.7.1) exit=$code" \
		'554 Your mail is bad (#5.7.1)'
	message "text=$fd:ZTry%20later%20(%234.7.1) exit=$code" \
		'451 Try later (#4.7.1)'
	message "text=$fd:Xodd exit=$code" '451 odd'
	message "text=$fd:Dab exit=$code" '554 ab'
	message "text=$fd:Da exit=$code" '451 qq temporary problem (#4.3.0)'
	message "text=$fd:D exit=$code" '451 qq temporary problem (#4.3.0)'
	message "exit=$code" '451 qq temporary problem (#4.3.0)'
	message "exit=0" '250 ok * qp *'
done; done

conversation 'a custom text in two writes, one on each descriptor'
echo 'S: 220 *'
message 'text=4:DYour%20mail text=6:%20is%20bad exit=82' '554 Your mail is bad'

conversation 'a custom text counts with 82 and 88 alone'
echo 'S: 220 *'
message 'text=4:Dtext exit=31' '554 mail server permanently rejected message *'
message 'text=6:Dtext exit=0' '250 ok * qp *'
message 'text=6:Dtext exit=99' '451 qq temporary problem (#4.3.0)'
message 'text=6:Dtext signal=9' '451 qq crashed (#4.3.0)'

conversation 'a custom text ends at 255 bytes, and nobody waits for its reader'
echo 'S: 220 *'
message 'flood=4:253 exit=82' '554 \{253:x}'
message 'flood=4:254 exit=82' '554 \{254:x}'
message 'flood=4:255 exit=82' '554 \{254:x}'
message 'flood=6:500000 exit=88' '554 \{254:x}'

conversation 'a custom text cannot say a reply of its own'
echo 'S: 220 *'
message 'text=4:Dno%0D%0A250%20ok%0Aend exit=82' '554 no  250 ok end'
message 'text=6:Zno%0D%0A exit=82' '451 no'
message 'text=6:D%00%7F%1B[2Jx exit=82' '554 ???[2Jx'
message 'text=4:D%C3%A4%FF exit=88' '554 ???'
message 'text=4:%0A%0A%0A exit=88' '451 qq temporary problem (#4.3.0)'
message 'exit=0' '250 ok * qp *'

for fd in 7 9; do
	conversation "ERROR_FD=$fd moves the custom text"
	echo "env ERROR_FD=$fd"
	echo 'S: 220 *'
	message "text=$fd:DMoved exit=82" '554 Moved'
	message "text=4:Dno text=6:Dno exit=82" \
		'451 qq temporary problem (#4.3.0)'
done

conversation 'ERROR_FD=-1 is no custom text'
echo 'env ERROR_FD=-1'
echo 'S: 220 *'
message 'text=4:Dno text=6:Dno exit=82' '451 qq temporary problem (#4.3.0)'

conversation 'SMTPD_QUEUE_DISCARD: exit code 1 is an accepted message'
echo 'env SMTPD_QUEUE_DISCARD=1'
echo 'S: 220 *'
message 'exit=1' '250 ok * qp *'
message 'exit=2' '451 qq temporary problem (#4.3.0)'
message 'exit=0' '250 ok * qp *'
echo 'LOG: qmail-smtpd[*]: discarded: qp *'

conversation 'a failure is logged with program, pid and code'
echo 'S: 220 *'
message 'exit=71' '451 mail server temporarily rejected *'
echo "LOG: qmail-smtpd[*]: queue program */queue-stub (pid *) exit 71: *"

# Case 52: its exit code decides, all of DATA is consumed, no SIGPIPE.
for ending in 'unread|exit=31|554 mail server permanently rejected*' \
	'unread|exit=82 text=4:DNot%20read|554 Not read' \
	'read=10|exit=71|451 mail server temporarily rejected*' \
	'read=70000|exit=53|451 qq write error or disk full*' \
	'unread|signal=9|451 qq crashed*' \
	'unread|exit=0|451 qq read error*' \
	'read=70000|exit=0|451 qq read error*'; do
	reading=${ending%%|*}
	ending=${ending#*|}
	conversation "52: an early end: $reading, ${ending%|*}"
	cat <<-END
	queue $reading ${ending%|*}
	S: 220 *
	C: MAIL FROM:<>
	C: RCPT TO:<u@example.org>
	C: DATA
	S*2: 250 ok
	S: 354 *
	R: \\{20000:a line of a large message, nobody wants it\\r\\n}.\\r\\n
	S: ${ending#*|}
	C: NOOP
	S: 250 ok
	END
done

conversation '52: two messages that nobody read, one after the other'
cat <<'END'
queue unread exit=71
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{100000:x}\r\n.\r\n
S: 451 mail server temporarily rejected *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 451 mail server temporarily rejected *
END

for program in "$work/missing" "$work" "$work/plain file"; do
	conversation "no queue program: ${program#"$work"}"
	echo "env QMAILQUEUE=$program"
	cat <<-END
	S: 220 *
	C: MAIL FROM:<>
	C: RCPT TO:<u@example.org>
	C: DATA
	S*2: 250 ok
	S: 354 *
	C: text
	C: .
	S: 451 unable to exec qq (#4.3.0)
	C: NOOP
	S: 250 ok
	END
done

conversation 'QMAILQUEUE is one path: blanks are part of it'
echo "env QMAILQUEUE=$work/queue program"
echo 'S: 220 *'
message 'exit=31' '554 mail server permanently rejected *'
} >"$work/texts.txt"
: >"$work/plain file"
ln -s "$tests/queue-stub" "$work/queue program"
dialogues "$work/texts.txt"

# Case 53: a program that hangs is killed; one whose child lives on is not waited
# for. All within SMTPD_QUEUE_TIMEOUT.
{
for plan in hang 'hang stubborn' 'unread hang' 'text=4:DWaiting hang'; do
	conversation "53: killed when it hangs: $plan"
	cat <<-END
	env SMTPD_QUEUE_TIMEOUT=1
	queue $plan
	S: 220 *
	C: MAIL FROM:<>
	C: RCPT TO:<u@example.org>
	C: DATA
	S*2: 250 ok
	S: 354 *
	R: \\{20000:a line of a large message, nobody wants it\\r\\n}.\\r\\n
	S: 451 qq timeout (#4.3.0)
	C: NOOP
	S: 250 ok
	END
	[ "$plan" = 'unread hang' ] || echo 'E: *'
done
for ending in 'exit=0|250 ok * qp *' 'exit=82 text=4:DGone|554 Gone' \
	'exit=71|451 mail server temporarily*' 'signal=9|451 qq crashed*'; do
	conversation "53: a child holds the error descriptors: ${ending%|*}"
	echo "env SMTPD_QUEUE_TIMEOUT=12"
	echo 'S: 220 *'
	message "background=60 ${ending%|*}" "${ending#*|}"
done
} >"$work/hanging.txt"
before=$(date +%s)
dialogues "$work/hanging.txt"
after=$(date +%s)
if [ $((after - before)) -le 30 ]; then
	ok "and nobody waited for what hangs"
else
	not_ok "and nobody waited for what hangs" "$((after - before)) seconds"
fi

# From here on without the dialogues: what one program sees of the other.
mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"

# session VARIABLE…: smtpd reads $work/said; replies go to $work/replies. It gets
# no descriptor that this test happens to have open.
session() {
	rm -rf "$work/queue"
	mkdir "$work/queue"
	env CONTROLDIR="$work/control" QUEUE_DIR="$work/queue" \
		QMAILQUEUE="$tests/queue-stub" TCPREMOTEIP=192.0.2.7 \
		SMTPD_QUEUE_TIMEOUT=5 "$@" \
		perl -MPOSIX -e 'POSIX::close($_) for 3 .. 1023; exec @ARGV' \
		smtpd <"$work/said" >"$work/replies" 2>"$work/log"
}
about() {
	sed -n "s/^$1//p" "$work/queue/1/about"
}
printf '%s\r\n' 'MAIL FROM:<s@client.example>' 'RCPT TO:<u@example.org>' \
	'DATA' 'Subject: x' '' text . 'QUIT' >"$work/said"

before=$(date +%s)
session EXTRA='a b=c' RELAYCLIENT= NOP0FCHECK=1
after=$(date +%s)
is $? 0 'a session through pipes and files'
is "$(about 'pid ')" "$(sed -n 's/.* qp \([0-9]*\).*/\1/p' "$work/replies")" \
	'qp is the pid of the queue program'
stamp=$(sed -n 's/^250 ok \([0-9]*\) qp .*/\1/p' "$work/replies")
if [ "${stamp:-0}" -ge "$before" ] && [ "$stamp" -le "$after" ]; then
	ok 'the other number is the time'
else
	not_ok 'the other number is the time' "$before <= $stamp <= $after"
fi
is "$(about 'descriptors ')" '0 1 2 4 6' 'it has descriptors 0 1 2 4 6 alone'
is "$(about 'env EXTRA=')" 'a b=c' 'the environment is passed on'
is "$(grep -c '^env RELAYCLIENT=$' "$work/queue/1/about")" 1 \
	'an empty RELAYCLIENT too'
is "$(about 'env NOP0FCHECK=')$(about 'env TCPREMOTEIP=')" 1192.0.2.7 \
	'and what filters look for'
session ERROR_FD=7
is "$(about 'descriptors ')" '0 1 2 7' 'with ERROR_FD=7 it has 0 1 2 7'
session ERROR_FD=-1
is "$(about 'descriptors ')" '0 1 2' 'with ERROR_FD=-1 it has 0 1 2'
for fd in x 0 1 2 3 -1 99999999999999999999; do
	session ERROR_FD="$fd"
	is "$(sed -n 5p "$work/replies" | cut -c 1-7)/$(
		cat "$work/queue/1/verdict")" '250 ok /queued' \
		"ERROR_FD=$fd breaks no message"
done

# Nothing may be queued for a client that went away in the middle: the envelope
# must not end, and the program must come to its own end.
head -n 6 "$work/said" >"$work/cut"
mv "$work/cut" "$work/said"
session
is $? 1 'the client is gone in the middle of DATA: exit code 1'
wait_until test -s "$work/queue/1/verdict"
is "$(cat "$work/queue/1/verdict")" cut 'and the queue program was not told an end'
is "$(wc -c <"$work/queue/1/envelope")" 0 'nor any of the envelope'

done_testing
