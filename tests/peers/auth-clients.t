#!/bin/sh
# Real clients that log in, by each mechanism that they have: in the clear where
# that is allowed, behind STARTTLS, and in TLS from the start, over AUTH_CDB and with
# checkpassword programs, Debian's among them. Who has logged in may relay; the
# message arrives byte for byte, and the queue program is told who sent it.
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

# One login for each kind of entry, and a password for the clients to get over.
password='a b%c=d,e:f!'
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
	printf '%s' "$4" >"$work/msmtp.password"
	msmtp --host=127.0.0.1 --port="$port" --domain=client.example \
		--timeout=20 $option --tls-trust-file="$work/ca.pem" \
		--auth="$2" --user="$3" \
		--passwordeval="cat $work/msmtp.password" \
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

	"by_$2" "$1" "$3" "$login" "$password." wrong@elsewhere.example \
		>"$work/said" 2>&1
	is $? "$(code_of_refusal "$2")" "$name: it says when the password is wrong"
	refused=$((refused + 1))
}
has_scram() {
	msmtp --version | grep -q 'scram-sha-256' && return
	skip 'this msmtp has no SCRAM' "$1"
	return 1
}
try_all() {
	refused=0
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
	! has_scram "$1, msmtp, scram-sha-256" || try "$1" msmtp scram-sha-256
	! is_here mutt "$1, mutt" || try "$1" mutt scram-sha-256
	try "$1" smtplib plain+later
	try "$1" smtplib login+later
	# It begins with CRAM-MD5, and tries PLAIN next.
	by_smtplib "$1" strongest cram-md5@example.org "$password" \
		"$1-strongest@elsewhere.example" >"$work/said" 2>&1
	is "$?" 0 "$1, smtplib: login() takes the strongest"
	arrived "$1-strongest@elsewhere.example" "$work/hard" \
		"$1, smtplib: login(): byte for byte"
	like "$(told_with "$1-strongest@elsewhere.example")" \
		' SMTPAUTHMETHOD=cram-md5 ' "$1, smtplib: by CRAM-MD5"
	is "$(grep -ac ': AUTH failed (bad password) \[127\.0\.0\.1\] [a-z0-9-]*@example\.org$' \
		"$work/log")" "$refused" "$1: the log says of each that it was wrong"
	is "$(grep -ac ': AUTH successful \[127\.0\.0\.1\] ' "$work/log")" \
		"$(delivered | wc -l)" "$1: and of each login"
	is "$(delivered wrong@elsewhere.example)" '' \
		"$1: nothing has come without one"
	rm -f "$work/Maildir/new"/*
}
code_of_refusal() {
	case $1 in
	swaks) echo 28 ;;
	curl) echo 67 ;;
	msmtp) echo 77 ;;
	s_nail) echo 4 ;;
	smtplib | mutt) echo 1 ;;
	esac
}

AUTH_CDB=$work/control/auth.cdb
SMTPAUTH=+cram+scram
SMTPD_AUTH_DELAY=0
export AUTH_CDB SMTPAUTH SMTPD_AUTH_DELAY

export ALLOW_INSECURE_AUTH=1
start_tcpserver "$work/log" -x "$work/rules.cdb" -- recordio -a qmail-smtpd
try_all clear
stop "$server"
unset ALLOW_INSECURE_AUTH
unlike "$(cat "$work/log")" \
	"$(printf '%s' "$password" | base64)|$(printf '\0sha512@example.org\0%s' \
		"$password" | base64 -w 0)" 'recordio -a shows no password'
like "$(cat "$work/log")" '^[0-9]+ < AUTH PLAIN \(hidden\)' \
	'but which mechanism it was'
start_tcpserver "$work/log" -x "$work/rules.cdb" -- qmail-smtpd
by_swaks clear plain sha512@example.org "$password" wrong@elsewhere.example \
	>"$work/said" 2>&1
is $? 28 'swaks does not log in where it would be in the clear'
stop "$server"

export CERTFILE="$work/mx" UCSPITLS=
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- qmail-smtpd
try_all starttls
stop "$server"
unset UCSPITLS

export SSL=1
start_sslserver "$work/log" -s -x "$work/rules.cdb" -- qmail-smtpd
try_all tls
stop "$server"

# What a client takes that chooses by itself, where there is only one.
name='SMTPAUTH=scram: msmtp takes what there is'
if has_scram "$name"; then
	SMTPAUTH=scram
	start_sslserver "$work/log" -s -x "$work/rules.cdb" -- qmail-smtpd
	by_msmtp tls on scram-sha-256@example.org "$password" \
		own-choice@elsewhere.example >"$work/said" 2>&1
	is "$?$(cat "$work/said")" 0 "$name"
	like "$(told_with own-choice@elsewhere.example)" \
		' SMTPAUTHMETHOD=scram-sha-256 ' "$name: the queue program is told"
	stop "$server"
fi
unset SSL AUTH_CDB

# ---- checkpassword programs ----

# one_login MECHANISM LOGIN PASSWORD RECIPIENT NAME
one_login() {
	by_swaks clear "$1" "$2" "$3" "$4" >"$work/said" 2>&1
	is $? 0 "$5"
	arrived "$4" "$work/hard" "$5: byte for byte"
	is "$(told_with "$4")" "RELAYCLIENT= SMTPAUTHMETHOD=$1 SMTPAUTHUSER=$2 SMTP_AUTH_USER=$2 TCPREMOTEINFO=$2 TCPREMOTEIP=127.0.0.1 " \
		"$5: the queue program is told"
}
export ALLOW_INSECURE_AUTH=1 SMTPAUTH=+cram
start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
	qmail-smtpd mx.example.org "$tests/checker" true
for mechanism in plain login cram-md5; do
	one_login $mechanism tim secret "checker-$mechanism@elsewhere.example" \
		"a checkpassword program, $mechanism"
done
stop "$server"

# Debian's looks into the login's home, or where MAILDIR says, and becomes the
# user.
if is_root checkpw && is_here checkpw checkpw; then
	unset SMTPAUTH
	mkdir "$work/passwords"
	printf '%s' "$password" >"$work/passwords/.password"
	chmod 600 "$work/passwords/.password"
	export MAILDIR="$work/passwords"
	start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
		qmail-smtpd mx.example.org checkpw true
	for mechanism in plain login; do
		one_login $mechanism root "$password" \
			"checkpw-$mechanism@elsewhere.example" "checkpw, $mechanism"
		by_swaks clear $mechanism root "$password." wrong@elsewhere.example \
			>"$work/said" 2>&1
		is $? 28 "checkpw, $mechanism with another password"
	done
	stop "$server"
	like "$(cat "$work/log")" ': AUTH failed \[127.0.0.1\] root$' 'and the log'
fi
is "$(delivered wrong@elsewhere.example)" '' 'nobody else has sent anything'

done_testing
