#!/bin/sh
# Real clients and TLS, at once and by STARTTLS, through the whole chain into a
# Maildir; what else comes with STARTTLS is not obeyed; the key is not needed by
# whoever speaks SMTP.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need swaks curl msmtp python3 openssl /usr/bin/tcpserver

prepare_chain
make_ca
make_certificate mx mx.example.org
hard_message "$work/hard"
perl -pe 'chomp if eof' "$work/hard" >"$work/hard.no-end"
export CERTFILE="$work/mx"

# send_all at-once|starttls: each of the clients sends the hard message; the
# recipients' names begin with the way
send_all() {
	case $1 in
	at-once) swaks_tls=-tlsc curl_url=smtps curl_tls='' msmtp_tls=off ;;
	*) swaks_tls=-tls curl_url=smtp curl_tls=--ssl-reqd msmtp_tls=on ;;
	esac
	swaks --server 127.0.0.1 --port "$port" --helo client.example $swaks_tls \
		--from a@client.example --to "$1-swaks@example.org" \
		--data "@$work/hard.no-end" >"$work/swaks.out" 2>&1
	is $? 0 "$1: swaks says that it went well"
	# shellcheck disable=SC2086 # maybe no word
	curl -sS "$curl_url://mx.example.org:$port/client.example" --crlf $curl_tls \
		--resolve "mx.example.org:$port:127.0.0.1" \
		--cacert "$work/ca.pem" -T "$work/hard" \
		--mail-from a@client.example --mail-rcpt "$1-curl@example.org" \
		>"$work/curl.out" 2>&1
	is "$?$(cat "$work/curl.out")" 0 "$1: so does curl, which has verified the certificate"
	msmtp --host=127.0.0.1 --port="$port" --domain=client.example --timeout=20 \
		--tls=on --tls-starttls=$msmtp_tls --tls-trust-file= \
		--tls-certcheck=off --auth=off --from=a@client.example -- \
		"$1-msmtp@example.org" <"$work/hard" >"$work/msmtp.out" 2>&1
	is "$?$(cat "$work/msmtp.out")" 0 "$1: so does msmtp, by another library"
	for client in swaks curl msmtp; do
		arrived "$1-$client@example.org" "$work/hard" \
			"$1: what $client sent is there, byte for byte"
	done
}

# --- TLS at once
start_sslserver "$work/log" -x "$work/rules.cdb" -- recordio qmail-smtpd
send_all at-once
like "$(cat "$work/swaks.out")" 'TLS started with cipher TLSv1\.3:' 'TLS 1.3'
like "$(cat "$work/log")" '^[0-9]+ < RCPT TO:<at-once-swaks@example.org>' \
	'recordio records what is said inside'
pids=$(sed -n 's/^sslserver: tls \([0-9]*\) accept.*/\1/p' "$work/log" | sort)
is "$pids" "$(sed -n 's/^sslserver: ok \([0-9]*\) .*/\1/p' "$work/log" | sort)" \
	'one pid in all lines: of the server, of TLS'
is "$pids" "$(sed -n 's/^\([0-9]*\) < EHLO.*/\1/p' "$work/log" | sort)" \
	'and of recordio'
stop "$server"

# --- STARTTLS, with one tlsd
export UCSPITLS=
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- recordio -a qmail-smtpd
send_all starttls
like "$(cat "$work/swaks.out")" '^=== TLS started with cipher TLSv1\.3:' 'TLS 1.3'
printf 'QUIT\r\n' | openssl s_client -starttls smtp -quiet -connect "127.0.0.1:$port" \
	-verify_return_error -CAfile "$work/ca.pem" -verify_hostname mx.example.org \
	>"$work/out" 2>"$work/client"
like "$(cat "$work/out")" '^221 ' 'openssl s_client -starttls smtp, verified'
is "$(sed -n 's/^sslserver: tls \([0-9]*\) accept.*/\1/p' "$work/log" | sort)" \
	"$(sed -n 's/^sslserver: ok \([0-9]*\) .*/\1/p' "$work/log" | sort)" \
	'one pid in all lines'
openssl s_client -starttls smtp -sess_out "$work/session" -connect "127.0.0.1:$port" \
	-quiet >/dev/null 2>&1 <<'END'
QUIT
END
openssl s_client -starttls smtp -sess_in "$work/session" -connect "127.0.0.1:$port" \
	-quiet >/dev/null 2>&1 <<'END'
QUIT
END
wait_for_line "$work/log" ' resumed$'
is $? 0 'a session is resumed, in another process'
curl -sS "smtp://127.0.0.1:$port/client.example" --crlf -T "$work/hard" \
	--mail-from a@client.example --mail-rcpt plain@example.org >"$work/out" 2>&1
is "$?$(cat "$work/out")" 0 'and mail still goes without'
arrived plain@example.org "$work/hard" 'byte for byte'

# Commands behind STARTTLS, in the same packet and in the next one.
cat >"$work/inject" <<'END'
import socket, ssl, sys, time
port, how = int(sys.argv[1]), sys.argv[2]
s = socket.create_connection(('127.0.0.1', port))
s.settimeout(20)
f = s.makefile('rb')
def reply():
    while True:
        line = f.readline()
        if line[3:4] != b'-':
            return line
reply()
s.sendall(b'EHLO client.example\r\n')
reply()
evil = b'MAIL FROM:<evil@client.example>\r\nRCPT TO:<u@example.org>\r\n'
if how == 'together':
    s.sendall(b'STARTTLS\r\n' + evil)
    print(reply().decode().strip())
else:
    s.sendall(b'STARTTLS\r\n')
    print(reply().decode().strip())
    s.sendall(evil)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    t = context.wrap_socket(s)
    f = t.makefile('rb')
    t.sendall(b'EHLO client.example\r\nRCPT TO:<u@example.org>\r\nQUIT\r\n')
    print('inside:', f.read().decode())
except (ssl.SSLError, OSError) as error:
    print('no TLS')
END
# recordio passes nothing on behind STARTTLS; so there may be a session, in which
# nothing has been said yet.
said=$(python3 "$work/inject" "$port" together)
like "$said" '^503 MAIL first|^no TLS$' \
	'commands in the packet of STARTTLS are not obeyed'
said=$(python3 "$work/inject" "$port" after)
like "$said" '^no TLS$' 'behind it: no handshake'
stop "$server"
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- qmail-smtpd
said=$(python3 "$work/inject" "$port" together)
like "$said" '^554 ' 'without recordio: refused'
like "$said" '^no TLS$' 'and the session is over'
said=$(python3 "$work/inject" "$port" after)
like "$said" '^no TLS$' 'behind it: no handshake'
stop "$server"
is "$(delivered | xargs grep -al 'evil@client' | wc -l)" 0 'and nothing has come of it'
unset UCSPITLS

# --- STARTTLS as the guides have it: nothing but a variable, no tlsd
unset CERTFILE
export TLS_SERVER_CERT="$work/mx"
chmod 640 "$work/mx"
echo '127.:allow,PEERTEST="1"' | tcprules "$work/rules.cdb" "$work/rules.tmp"
rm -f "$work/port"
/usr/bin/tcpserver -1 -v -R -H -l mx.example -x "$work/rules.cdb" 127.0.0.1 0 qmail-smtpd \
	>"$work/port" 2>"$work/log" &
server=$!
started="$started $server"
wait_until test -s "$work/port"
port=$(cat "$work/port")
rm -f "$work/Maildir/new"/*
send_all starttls
like "$(cat "$work/log")" '^tlsd: tls [0-9]+ accept TLSv1\.3:' \
	"with Debian's tcpserver, a tlsd for each session"
is "$(sed -n 's/^tlsd: tls \([0-9]*\) accept.*/\1/p' "$work/log" | sort)" \
	"$(sed -n 's/^tcpserver: ok \([0-9]*\) .*/\1/p' "$work/log" | sort)" \
	'and the pid of the log'
stop "$server"
unset TLS_SERVER_CERT

# --- as two users: smtpd cannot read the key, and STARTTLS works
if is_root 'as two users'; then
	user=$((3000000 + 2 * $$))
	chmod 755 "$work" "$work/control"
	chmod 644 "$work/control"/*
	chmod 600 "$work/mx" "$work/mx.key"
	cat >"$work/steal" <<'END'
#!/bin/sh
id -u >&2
cat "$CONTROLDIR/../mx" >&2
exec qmail-smtpd
END
	chmod 755 "$work/steal"
	export CERTFILE="$work/mx" UCSPITLS=
	start_sslserver "$work/log" -n -u "$user" -g "$user" -- "$work/steal"
	printf 'QUIT\r\n' | openssl s_client -starttls smtp -quiet \
		-connect "127.0.0.1:$port" >"$work/out" 2>/dev/null
	like "$(cat "$work/out")" '^221 ' 'another user than root: STARTTLS works'
	like "$(cat "$work/log")" "^$user\$" 'smtpd is that user'
	unlike "$(cat "$work/log")" 'PRIVATE' 'and cannot read the key'
	stop "$server"
fi
done_testing
