#!/bin/sh
# Real clients log in, by each mechanism that they have, in the clear, by STARTTLS
# and within TLS, over AUTH_CDB and with checkpassword programs, Debian's among
# them; and their mail to somewhere else arrives.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need swaks curl msmtp python3 openssl cdb

prepare_chain
make_ca
make_certificate mx mx.example.org
export CERTFILE="$work/mx"
printf 'Subject: hello\n\ntext\n' >"$work/message"

# Everybody's password is "a b%c=d" for the clients to get over, and a comma.
password='a b%c=d,'
{
	cat <<END
tim@example.org $(auth-entry crypt "$password" '$1$abcdefgh')
sam@example.org $(auth-entry scram "$password")
cam@example.org $(auth-entry cram "$password")
END
	echo
} >"$work/lines"
cdb -c -m "$work/auth.cdb" "$work/lines"
export AUTH_CDB="$work/auth.cdb" SMTPAUTH=+cram+scram SMTPD_AUTH_DELAY=0

user_of() {
	case $1 in
	[Cc]*) echo cam@example.org ;;
	[Ss]*) echo sam@example.org ;;
	*) echo tim@example.org ;;
	esac
}
# The clients: MECHANISM WAY USER PASSWORD RECIPIENT, and an exit of 0
with_swaks() {
	case $2 in
	clear) swaks_tls= ;;
	starttls) swaks_tls=-tls ;;
	tls) swaks_tls=-tlsc ;;
	esac
	# shellcheck disable=SC2086 # maybe no word
	swaks --server 127.0.0.1 --port "$port" --helo client.example $swaks_tls \
		--from a@client.example --to "$5" --auth "$1" --auth-user "$3" \
		--auth-password "$4" --header 'Subject: hello' --body text
}
with_curl() {
	case $2 in
	clear) curl_url=smtp curl_tls='' ;;
	starttls) curl_url=smtp curl_tls=--ssl-reqd ;;
	tls) curl_url=smtps curl_tls='' ;;
	esac
	# shellcheck disable=SC2086 # maybe no word
	curl -sS "$curl_url://mx.example.org:$port/client.example" --crlf $curl_tls \
		--resolve "mx.example.org:$port:127.0.0.1" --cacert "$work/ca.pem" \
		-T "$work/message" --login-options "AUTH=$1" --user "$3:$4" \
		--mail-from a@client.example --mail-rcpt "$5"
}
with_msmtp() {
	case $2 in
	clear) msmtp_tls=off msmtp_starttls=off ;;
	starttls) msmtp_tls=on msmtp_starttls=on ;;
	tls) msmtp_tls=on msmtp_starttls=off ;;
	esac
	printf '%s' "$4" >"$work/msmtp.password"
	msmtp --host=127.0.0.1 --port="$port" --domain=client.example --timeout=20 \
		--tls=$msmtp_tls --tls-starttls=$msmtp_starttls --tls-trust-file= \
		--tls-certcheck=off --auth="$(echo "$1" | tr '[:upper:]' '[:lower:]')" \
		--user="$3" --passwordeval="cat $work/msmtp.password" \
		--from=a@client.example -- "$5" <"$work/message"
}
with_smtplib() {
	python3 - "$port" "$@" <<'END'
import smtplib, ssl, sys
port, mechanism, way, user, password, recipient = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if way == 'tls':
    smtp = smtplib.SMTP_SSL('127.0.0.1', int(port), local_hostname='client.example',
                            context=context)
else:
    smtp = smtplib.SMTP('127.0.0.1', int(port), local_hostname='client.example')
smtp.ehlo()
if way == 'starttls':
    smtp.starttls(context=context)
    smtp.ehlo()
smtp.user, smtp.password = user, password
call = {'PLAIN': smtp.auth_plain, 'LOGIN': smtp.auth_login,
        'CRAM-MD5': smtp.auth_cram_md5}[mechanism]
smtp.auth(mechanism, call)
smtp.sendmail('a@client.example', [recipient], 'Subject: hello\n\ntext\n')
smtp.quit()
END
}
# mechanisms CLIENT
mechanisms() {
	case $1 in
	msmtp)
		echo PLAIN LOGIN CRAM-MD5
		msmtp --version | grep -o scram-sha-256
		;;
	*) echo PLAIN LOGIN CRAM-MD5 ;;
	esac
}
# log_in WAY CLIENT…
log_in() {
	way=$1
	shift
	for client; do
		for mechanism in $(mechanisms "$client"); do
			user=$(user_of "$mechanism")
			"with_$client" "$mechanism" "$way" "$user" "$password" \
				"$way-$client-$mechanism@elsewhere.example" \
				>"$work/out" 2>&1
			code=$?
			file=$(delivered "$way-$client-$mechanism@elsewhere.example")
			if [ $code -eq 0 ] && [ -n "$file" ]; then
				like "$(cat "$file")" "\\($user@127\\.0\\.0\\.1\\)" \
					"$client logs in by $mechanism, $way"
			else
				not_ok "$client logs in by $mechanism, $way" \
					"exit $code: $(cat "$work/out")"
			fi
			"with_$client" "$mechanism" "$way" "$user" "$password." \
				u@elsewhere.example >"$work/out" 2>&1
			code=$?
			if [ $code -ne 0 ] && grep -Eq "535|Login denied" "$work/out"; then
				ok "$client is refused with another password, $mechanism, $way"
			else
				not_ok "$client with another password, $mechanism, $way" \
					"exit $code: $(cat "$work/out")"
			fi
		done
	done
}

export ALLOW_INSECURE_AUTH=1
start_tcpserver "$work/log" -x "$work/rules.cdb" -- recordio -a smtpd
log_in clear swaks curl msmtp smtplib
stop "$server"
unlike "$(cat "$work/log")" "$(printf '%s' "$password" | base64)" \
	"recordio -a shows no password"
like "$(cat "$work/log")" '^[0-9]+ < AUTH PLAIN \(hidden\)' "but which mechanism it was"
unset ALLOW_INSECURE_AUTH
start_tcpserver "$work/log" -x "$work/rules.cdb" -- smtpd
with_swaks PLAIN clear tim@example.org "$password" u@elsewhere.example >"$work/out" 2>&1
is $? 28 "swaks does not log in where it would be in the clear"
stop "$server"
start_sslserver "$work/log" -x "$work/rules.cdb" -- smtpd
log_in tls swaks curl msmtp smtplib
stop "$server"
export UCSPITLS=
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- smtpd
log_in starttls swaks curl msmtp smtplib
stop "$server"
unset UCSPITLS
is "$(delivered u@elsewhere.example | wc -l)" 0 "nobody else has sent anything"

# What clients choose when it is theirs to choose, as Thunderbird and Outlook do:
# the strongest mechanism of the list, or the first one of the line AUTH=.
export SMTPAUTH=+scram
start_sslserver "$work/log" -x "$work/rules.cdb" -- smtpd
msmtp --version | grep -q scram-sha-256 && {
	printf '%s' "$password" >"$work/msmtp.password"
	msmtp --host=127.0.0.1 --port="$port" --tls=on --tls-starttls=off \
		--tls-trust-file= --tls-certcheck=off --auth=on --user=sam@example.org \
		--passwordeval="cat $work/msmtp.password" --from=a@client.example -- \
		own-choice@elsewhere.example <"$work/message" >"$work/out" 2>&1
	is "$?$(cat "$work/out")" 0 "msmtp chooses by itself"
}
stop "$server"

# A checkpassword program of the command line.
unset AUTH_CDB
export SMTPAUTH=+cram ALLOW_INSECURE_AUTH=1
start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
	smtpd mx.example.org "$tests/checker" true
for mechanism in PLAIN LOGIN CRAM-MD5; do
	with_swaks $mechanism clear tim secret "checker-$mechanism@elsewhere.example" \
		>"$work/out" 2>&1
	is "$? $(delivered "checker-$mechanism@elsewhere.example" | wc -l)" "0 1" \
		"a checkpassword program, $mechanism"
done
stop "$server"

# Debian's, which looks into the login's home, or where MAILDIR says; it becomes
# the user.
if is_root checkpw && is_here checkpw checkpw; then
	unset SMTPAUTH
	mkdir "$work/passwords"
	printf '%s' "$password" >"$work/passwords/.password"
	chmod 600 "$work/passwords/.password"
	export MAILDIR="$work/passwords"
	start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
		smtpd mx.example.org checkpw true
	for mechanism in PLAIN LOGIN; do
		with_swaks $mechanism clear root "$password" \
			"checkpw-$mechanism@elsewhere.example" >"$work/out" 2>&1
		is "$? $(delivered "checkpw-$mechanism@elsewhere.example" | wc -l)" \
			"0 1" "checkpw, $mechanism"
		with_swaks $mechanism clear root "$password." u@elsewhere.example \
			>"$work/out" 2>&1
		is $? 28 "checkpw, $mechanism with another password"
	done
	stop "$server"
	like "$(cat "$work/log")" ': AUTH failed \[127.0.0.1\] root$' "and the log"
	unset MAILDIR
fi

done_testing
