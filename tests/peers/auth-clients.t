#!/bin/sh
# Real clients that log in, by each mechanism that they have: in the clear where
# that is allowed, behind STARTTLS, and in TLS from the start. Who has logged in may
# relay; the message arrives byte for byte, and the queue program is told who sent
# it.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need swaks curl msmtp python3 openssl

prepare_chain
note_environment
make_ca
make_certificate mx mx.example.org
hard_message "$work/hard"
perl -pe 'chomp if eof' "$work/hard" >"$work/hard.no-end"
# What a person writes; the head is the mail program's.
printf '%s\n' 'A letter.' . .. .dot '' '>From there' "$(printf 'caf\303\251')" \
	QUIT >"$work/letter"

# One login for each kind of entry.
password='s,e=cr:t!'
for kind in sha512 scram-sha-256 cram-md5; do
	echo "$kind@example.org $(printf '%s\n' "$password" |
		auth-cdb -m "$kind")"
done >"$work/control/authusers"
mkauth -n -q "$work" -p /dev/null -s /dev/null -c "$work/control/auth.cdb"
is $? 0 'mkauth makes the table'
# login_for MECHANISM: the one whose entry is good for it
login_for() {
	case $1 in
	cram-md5 | scram-sha-256) echo "$1@example.org" ;;
	*) echo sha512@example.org ;;
	esac
}

# ---- the clients: WAY MECHANISM LOGIN PASSWORD RECIPIENT ----

by_swaks() {
	case $1 in
	clear) option=--hide-informational ;;
	starttls) option=-tls ;;
	tls) option=-tlsc ;;
	esac
	swaks --server 127.0.0.1 --port "$port" --helo client.example "$option" \
		--auth "$2" --auth-user "$3" --auth-password "$4" \
		--from a@client.example --to "$5" --data "@$work/hard.no-end"
}
by_curl() {
	case $1 in
	clear) scheme=smtp option=-sS ;;
	starttls) scheme=smtp option=--ssl-reqd ;;
	tls) scheme=smtps option=-sS ;;
	esac
	curl -sS "$option" --crlf -T "$work/hard" --cacert "$work/ca.pem" \
		--resolve "mx.example.org:$port:127.0.0.1" \
		--login-options "AUTH=$(echo "$2" | tr '[:lower:]' '[:upper:]')" --user "$3:$4" \
		--mail-from a@client.example --mail-rcpt "$5" \
		"$scheme://mx.example.org:$port/client.example"
}
by_msmtp() {
	case $1 in
	clear) option='--tls=off' ;;
	starttls) option='--tls=on --tls-starttls=on' ;;
	tls) option='--tls=on --tls-starttls=off' ;;
	esac
	# shellcheck disable=SC2086 # two words
	msmtp --host=127.0.0.1 --port="$port" --domain=client.example \
		--timeout=20 $option --tls-trust-file="$work/ca.pem" \
		--auth="$2" --user="$3" --passwordeval="echo '$4'" \
		--from=a@client.example -- "$5" <"$work/hard"
}
cat >"$work/smtplib" <<'PYTHON'
import smtplib, ssl, sys
port, ca, file, way, mechanism, login, password, recipient = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if way == 'tls':
    smtp = smtplib.SMTP_SSL('127.0.0.1', int(port), 'client.example', context=context)
else:
    smtp = smtplib.SMTP('127.0.0.1', int(port), 'client.example')
with smtp:
    if way == 'starttls':
        smtp.starttls(context=context)
    smtp.ehlo()
    assert not smtp.has_extn('starttls'), smtp.esmtp_features
    if mechanism == 'strongest':
        smtp.login(login, password)
    else:
        name, _, later = mechanism.partition('+')
        smtp.user, smtp.password = login, password
        smtp.auth(name.upper(), getattr(smtp, 'auth_' + name.replace('-', '_')),
                  initial_response_ok=not later)
    smtp.sendmail('a@client.example', [recipient],
                  open(file, 'rb').read().replace(b'\n', b'\r\n'))
PYTHON
by_smtplib() {
	python3 "$work/smtplib" "$port" "$work/ca.pem" "$work/hard" "$@"
}
by_s_nail() {
	case $1 in
	clear) scheme=smtp option=sendwait ;;
	starttls) scheme=smtp option=smtp-use-starttls ;;
	tls) scheme=smtps option=sendwait ;;
	esac
	HOME=$work LC_ALL=C.UTF-8 s-nail -n -S v15-compat -S sendwait \
		-S mta="$scheme://127.0.0.1:$port" -S "$option" \
		-S tls-verify=ignore -S smtp-auth="$2" -S user="$3" \
		-S password="$4" -S hostname=client.example \
		-S DEAD="$work/dead.letter" \
		-S from=a@client.example -S ttycharset=utf-8 \
		-S mime-encoding=8bit -s letter "$5" <"$work/letter"
}
by_mutt() {
	case $1 in
	clear) scheme=smtp option='set ssl_starttls=no ssl_force_tls=no' ;;
	starttls) scheme=smtp option='set ssl_force_tls=yes' ;;
	tls) scheme=smtps option='set ssl_force_tls=yes' ;;
	esac
	cat >"$work/muttrc" <<-MUTT
		$option
		set certificate_file="$work/ca.pem"
		set smtp_url="$scheme://$3@127.0.0.1:$port/" smtp_pass="$4"
		set smtp_authenticators="$2" hostname=client.example
		set from=a@client.example use_envelope_from=yes copy=no
		set charset=utf-8 send_charset=utf-8 allow_8bit=yes
	MUTT
	HOME=$work LC_ALL=C.UTF-8 mutt -n -F "$work/muttrc" -s letter "$5" \
		<"$work/letter"
}

# ---- what each must show ----

letter_arrived() {
	as_sent "$(delivered "$1")" | sed '1,/^$/d' >"$work/arrived"
	same_file "$work/arrived" "$work/letter" "$2"
}
# try WAY CLIENT MECHANISM: it logs in and sends. For smtplib, +later behind the
# mechanism keeps the first answer until it is asked for.
try() {
	method=${3%+*}
	login=$(login_for "$method")
	recipient=$1-$2-$3@elsewhere.example
	name="$1, $2, $3"
	"by_$2" "$1" "$3" "$login" "$password" "$recipient" \
		>"$work/said" 2>&1
	code=$?
	[ $code -eq 0 ] || code="$code: $(cat "$work/said")"
	is "$code" 0 "$name: it is sent"
	case $2 in
	s_nail | mutt) letter_arrived "$recipient" "$name: byte for byte" ;;
	*) arrived "$recipient" "$work/hard" "$name: byte for byte" ;;
	esac
	is "$(told_with "$recipient")" "RELAYCLIENT= SMTPAUTHMETHOD=$method SMTPAUTHUSER=$login SMTP_AUTH_USER=$login TCPREMOTEINFO=$login TCPREMOTEIP=127.0.0.1 " \
		"$name: the queue program is told"
	like "$(received_from "$recipient")" \
		"^Received: from .* \(HELO .*\) \($login@127\.0\.0\.1\) by [a-z]+\.example with $words\$" \
		"$name: and the field Received"
}
try_all() {
	words='TLS_[0-9A-Z_]+ encrypted SMTP'
	[ "$1" != clear ] || words=SMTP
	for mechanism in login plain cram-md5; do
		try "$1" swaks $mechanism
		try "$1" curl $mechanism
		try "$1" msmtp $mechanism
		try "$1" smtplib $mechanism
		! is_here s-nail "$1, s-nail" || try "$1" s_nail $mechanism
		! is_here mutt "$1, mutt" || try "$1" mutt $mechanism
	done
	try "$1" msmtp scram-sha-256
	! is_here mutt "$1, mutt" || try "$1" mutt scram-sha-256
	try "$1" smtplib plain+later
	try "$1" smtplib login+later
	for client in swaks curl msmtp smtplib; do
		"by_$client" "$1" plain sha512@example.org wrong \
			"wrong-$client@elsewhere.example" >"$work/said" 2>&1
		is "$?" "$(code_of_refusal $client)" \
			"$1, $client: a wrong password: it says so"
	done
	# It begins with CRAM-MD5, and tries PLAIN next.
	by_smtplib "$1" strongest cram-md5@example.org "$password" \
		"$1-strongest@elsewhere.example" >"$work/said" 2>&1
	is "$?" 0 "$1, smtplib: login() takes the strongest"
	arrived "$1-strongest@elsewhere.example" "$work/hard" \
		"$1, smtplib: login(): byte for byte"
	like "$(told_with "$1-strongest@elsewhere.example")" \
		' SMTPAUTHMETHOD=cram-md5 ' "$1, smtplib: by CRAM-MD5"
	is "$(grep -ac ': AUTH failed (bad password) \[127\.0\.0\.1\] sha512@example\.org$' \
		"$work/log")" 4 "$1: so does the log"
	is "$(grep -ac ': AUTH successful \[127\.0\.0\.1\] ' "$work/log")" \
		"$(delivered | wc -l)" "$1: and a line for each login"
	is "$(delivered | xargs grep -l wrong | wc -l)" 0 \
		"$1: nothing has come without one"
	rm -f "$work/Maildir/new"/*
}
code_of_refusal() {
	case $1 in
	swaks) echo 28 ;;
	curl) echo 67 ;;
	msmtp) echo 77 ;;
	smtplib) echo 1 ;;
	esac
}

AUTH_CDB=$work/control/auth.cdb
SMTPAUTH=+cram+scram
SMTPD_AUTH_DELAY=0
export AUTH_CDB SMTPAUTH SMTPD_AUTH_DELAY

export ALLOW_INSECURE_AUTH=1
start_tcpserver "$work/log" -x "$work/rules.cdb" -- qmail-smtpd
try_all clear
stop "$server"
unset ALLOW_INSECURE_AUTH

export CERTFILE="$work/mx" UCSPITLS=
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- qmail-smtpd
try_all starttls
stop "$server"
unset UCSPITLS

export SSL=1
start_sslserver "$work/log" -s -x "$work/rules.cdb" -- qmail-smtpd
try_all tls
stop "$server"

done_testing
