#!/bin/sh
# smtpd's field Received: the words of qmail and its TLS patch, those of RFC 3848
# and 6531 on request, and what a client may not write into it (59 of the list is
# in tests/dialogues). Real TLS is in smtpd-starttls.t.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
unset SSL SSL_CIPHER SSL_PROTOCOL SSL_VERIFY_STATUS SSL_CLIENT_S_DN_Email

# with CASE WORDS COMMAND SETTING…: WORDS stand between "with " and ";" when the
# client has begun with COMMAND, and asked for UTF-8 when that has a '+'.
with() {
	echo
	echo "== $1: $2"
	words=$2 command=$3 parameter=
	shift 3
	printf 'env %s\n' "$@"
	case $command in
	*+) parameter=' SMTPUTF8' command=${command%+} ;;
	esac
	echo 'S: 220 *'
	[ -z "$command" ] || echo "C: $command client"
	[ "$command" != HELO ] || echo 'S: 250 *'
	[ "$command" != EHLO ] || printf 'S*6: 250*\n'
	cat <<END
C: MAIL FROM:<a@client.example>$parameter
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: from client.example.net *(192.0.2.7)\\n  by mx.example.org with $words; *-0000\\n
M:
END
}
tls='SSL=1 SSL_CIPHER=TLS_AES_256_GCM_SHA384 SSL_PROTOCOL=TLSv1.3'
# shellcheck disable=SC2086 # lists of words
{
	with 'no TLS' SMTP HELO X=1
	with 'no TLS, with EHLO' SMTP EHLO X=1
	with 'no TLS, UTF-8' SMTP EHLO+ X=1
	with 'no TLS, whatever is in the environment' SMTP EHLO ${tls#* }
	with 'TLS' 'TLS_AES_256_GCM_SHA384 encrypted SMTP' EHLO $tls
	with 'TLS, and no cipher is known' SMTP EHLO SSL=1
	with 'TLS with a good certificate' \
		'TLS_AES_256_GCM_SHA384 encrypted SMTP cert me@client.example' EHLO $tls \
		SSL_VERIFY_STATUS=OK SSL_CLIENT_S_DN_Email=me@client.example
	with 'TLS with a certificate that is no good' \
		'TLS_AES_256_GCM_SHA384 encrypted SMTP' EHLO $tls \
		SSL_VERIFY_STATUS=FAIL SSL_CLIENT_S_DN_Email=me@client.example
	with 'TLS, and nobody has looked' \
		'TLS_AES_256_GCM_SHA384 encrypted SMTP' EHLO $tls \
		SSL_CLIENT_S_DN_Email=me@client.example
	with 'bytes of a certificate and of a cipher' \
		'AES_?x?y encrypted SMTP cert a?b??X:?c' EHLO SSL=1 'SSL_CIPHER=AES_;x)y' \
		SSL_VERIFY_STATUS=OK 'SSL_CLIENT_S_DN_Email=a;b\r\nX: c'
	for words in 1 99; do
		w=SMTP_PROTOCOL_WORDS=$words
		with 'RFC words' SMTP '' $w
		with 'RFC words' SMTP HELO $w
		with 'RFC words' ESMTP EHLO $w
		with 'RFC words' UTF8SMTP EHLO+ $w
		with 'RFC words' 'ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)' EHLO $w $tls
		with 'RFC words' 'ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)' HELO $w $tls
		with 'RFC words' 'UTF8SMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)' EHLO+ $w $tls
		with 'RFC words' ESMTPS EHLO $w SSL=1
		with 'RFC words, no TLS' ESMTP EHLO $w ${tls#* }
	done
	with 'RFC words are off' SMTP EHLO SMTP_PROTOCOL_WORDS=0
	cat <<'END'

== HELO behind EHLO
env SMTP_PROTOCOL_WORDS=1
S: 220 *
C: EHLO client
C: HELO client
S*7: 250*
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: *with SMTP; *
END
} >"$work/words.txt"
dialogues "$work/words.txt"

# Logins: the name stands before the address.
cat >"$work/checker" <<'END'
#!/bin/sh
tr '\0' '\n' <&3 | grep -qx secret && exec "$@"
exit 1
END
chmod 755 "$work/checker"
# logs_in LOGIN INFO WORDS SETTING…
logs_in() {
	echo
	echo "== a login: $2 $3"
	plain=$(printf '\0%s\0secret' "$1" | base64)
	info=$2
	words=$3
	shift 3
	printf 'env %s\n' ALLOW_INSECURE_AUTH=1 "$@"
	cat <<END
S: 220 *
C: EHLO client
S: 250-*
S: 250-AUTH*
S: 250-AUTH*
S*5: 250*
C: AUTH PLAIN $plain
S: 235 ok, go ahead (#2.0.0)
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: from client.example.net (HELO client) ($info@192.0.2.7)\\n  by mx.example.org with $words; *\\n
M:
END
}
# shellcheck disable=SC2086 # lists of words
{
	logs_in joe joe SMTP X=1
	logs_in joe@example.org joe@example.org SMTP TCPREMOTEINFO=ident
	logs_in 'jo e)' 'jo?e?' SMTP X=1
	logs_in joe auth:joe SMTP AUTHPREPEND=auth:
	logs_in joe joe ESMTPA SMTP_PROTOCOL_WORDS=1
	logs_in joe joe 'ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384)' \
		SMTP_PROTOCOL_WORDS=1 $tls
	logs_in joe joe 'TLS_AES_256_GCM_SHA384 encrypted SMTP' $tls
} >"$work/logins.txt"
dialogues "$work/logins.txt" -- smtpd mx.example.org "$work/checker" true

done_testing
