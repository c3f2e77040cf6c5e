#!/bin/sh
# smtpd and REJECTEXEC: a message one of whose parts begins as programs for Windows
# do, or as control/signatures says.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# part TYPE LINE…: the text of a message of two parts, the second of which is so
part() {
	cat <<'END'
C: Subject: x
C: Content-Type: multipart/mixed;
C: 	boundary="a part"
C: 
C: --a part
C: 
C: Programs begin with the following, but parts that begin so are meant.
C: TVqQAAMAAAAEAAAA
C: --a part
END
	echo "C: Content-Type: $1"
	printf 'C: Content-Transfer-Encoding: base64\nC: \n'
	shift
	printf 'C: %s\n' "$@"
	echo 'C: --a part--'
}
# sends CASE SETTING…: the beginning of one
sends() {
	echo
	echo "== $1"
	shift
	printf '%s\n' "$@"
	cat <<'END'
S: 220 *
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
END
}
refused() {
	cat <<'END'
C: .
S: 552 we don't accept email with this MIME content (#5.3.4)
C: NOOP
S: 250 ok
LOG: qmail-smtpd[*]: REJECTEXEC [192.0.2.7] *
END
}
accepted() {
	printf 'C: .\nS: 250 ok * qp *\nE: *\n'
}

{
	sends 'a program' 'env REJECTEXEC='
	part application/x-msdownload TVqQAAMAAAAEAAAA//8AALgAAAAA
	refused
	sends 'it may be called otherwise' 'env REJECTEXEC=1'
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA
	refused
	sends 'another file' 'env REJECTEXEC=1'
	part application/pdf JVBERi0xLjQKJcfsj6IK
	accepted
	sends 'no REJECTEXEC' 'env X=1'
	part application/x-msdownload TVqQAAMAAAAEAAAA//8AALgAAAAA
	accepted
	sends 'the whole message' 'env REJECTEXEC=1'
	printf 'C: Subject: x\nC: \nC: TVqQAAMAAAAEAAAA//8AALgAAAAA\n'
	refused
	sends 'a message that is small enough and goes on' 'env REJECTEXEC=1' 'env DATABYTES=1000'
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA 'no base64 at all'
	refused
	sends 'too large as well: that is said' 'env REJECTEXEC=1' 'env DATABYTES=100'
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA
	printf 'C: .\nS: 552 sorry, that message size*\n'
	sends 'a queue program that discards does not hide it' 'env REJECTEXEC=1' \
		'env SMTPD_QUEUE_DISCARD=1' "env QMAILQUEUE=$work/discards"
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA
	refused
	sends 'signatures of our own' 'env REJECTEXEC=1' \
		'control signatures # pdf\nJVBE*i0\n'
	part application/pdf JVBERi0xLjQKJcfsj6IK
	refused
	sends 'which are instead of the usual ones' 'env REJECTEXEC=1' \
		'control signatures # pdf\nJVBE*i0\n'
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA
	accepted
	sends 'no signatures' 'env REJECTEXEC=1' 'control signatures # none'
	part text/plain TVqQAAMAAAAEAAAA//8AALgAAAAA
	accepted
	sends 'a message without a line end behind it, in chunks' 'env REJECTEXEC=1' |
		sed '/^C: DATA/d; s/^S\*2: 250 ok/&/; /^S: 354/d'
	cat <<'END'
B: \r\nTVq
S: 250 ok
L: QAAMAA
S: 552 we don't accept email with this MIME content (#5.3.4)
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: \r\nTVqQAAMAA\r\n
S: 552 we don't accept email with this MIME content (#5.3.4)
B: QUIT\r\n
S: 503 an earlier chunk has failed (#5.5.1)
L: QUIT\r\n
S: 503 an earlier chunk has failed (#5.5.1)
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
S*2: 250 ok
L: \r\nJVBERi0xLjQKJcfsj6IK\r\n
S: 250 ok * qp *
E: *
END
} >"$work/executables.txt"
printf '#!/bin/sh\ncat >/dev/null\nexit 1\n' >"$work/discards"
chmod 755 "$work/discards"
dialogues "$work/executables.txt"
dialogues -b "$work/executables.txt"

# Not a regular file: it cannot be read, not even by root.
mkdir -p "$work/control/signatures"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
out=$(printf 'MAIL FROM:<>\r\nRCPT TO:<u@example.org>\r\nDATA\r\n' |
	CONTROLDIR="$work/control" QMAILQUEUE="$tests/queue-stub" QUEUE_DIR="$work" \
	REJECTEXEC=1 smtpd 2>"$work/log")
like "$out" '^421 unable to read controls \(#4\.3\.0\)' 'control/signatures cannot be read'
like "$(cat "$work/log")" 'unable to read .*/signatures: ' 'the log says so'

done_testing
