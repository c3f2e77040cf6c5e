#!/bin/sh
# mailfront's side of UCSPI-TLS and ours: its server behind our ucspi-tls, with a
# tlsd of sslserver's, one at a path, and one for the session alone.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/chain.sh"
need mailfront swaks openssl python3 /usr/bin/tcpserver

make_ca
make_certificate mx mx.example.org
echo '127.:allow,PEERTEST="1"' | tcprules "$work/rules.cdb" "$work/rules.tmp"
hard_message "$work/hard"
export UCSPITLS=''

# exchange NAME [SWAKS-OPTION…]
exchange() {
	exchange_name=$1
	shift
	swaks --server 127.0.0.1 --port "$port" --helo client.example \
		--from a@client.example --to u@example.org \
		--data "@$work/hard" "$@" >"$work/swaks.out" 2>&1
	is $? 0 "$exchange_name: swaks says that it went well"
	like "$(cat "$work/swaks.out")" '^=== TLS started with cipher TLSv1\.[23]:' \
		'with TLS'
	like "$(cat "$work/swaks.out")" '^<~ +250 Received [0-9]+ bytes' \
		'and the message inside it'
}

CERTFILE=$work/mx
export CERTFILE
start_sslserver "$work/log" -n -x "$work/rules.cdb" -- \
	mailfront smtp echo starttls-ucspi accept
exchange 'sslserver -n' -tls
exchange 'TLS 1.2' -tls --tls-protocol tlsv1_2
like "$(cat "$work/log")" '^sslserver: tls [0-9]+ accept TLSv1\.2:ECDHE-' 'in the log'
swaks --server 127.0.0.1 --port "$port" --helo client.example --from a@client.example \
	--to u@example.org >"$work/swaks.out" 2>&1
is $? 0 'without STARTTLS as well'
python3 - "$port" >"$work/out" 2>&1 <<'END'
import socket, ssl, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
s.settimeout(20)
f = s.makefile('rb')
f.readline()
s.sendall(b'EHLO a\r\n')
while f.readline()[3:4] == b'-':
    pass
s.sendall(b'STARTTLS\r\nMAIL FROM:<evil@a>\r\n')
f.readline()
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
inside = context.wrap_socket(s)
inside.sendall(b'QUIT\r\n')
print(inside.makefile('rb').read().decode('latin-1'))
END
like "$(cat "$work/log")" ' 500 5\.5\.1 Unexpected pipelined' \
	'commands behind STARTTLS: mailfront refuses them'
like "$(cat "$work/out")" '^500 5\.5\.1' 'inside TLS'
unlike "$(cat "$work/out" "$work/log")" 'evil|^250' 'and obeys none'
stop "$server"

# sslserver, TLS at once.
start_sslserver "$work/log" -x "$work/rules.cdb" -- mailfront smtp echo accept
exchange 'sslserver' -tlsc
stop "$server"

# A tlsd with a path, as another service would share it.
tlsd "$work/socket" 2>"$work/tlsd.log" &
tlsd=$!
started="$started $tlsd"
wait_until test -S "$work/socket"
unset CERTFILE
TLSD_SOCKET=$work/socket
export TLSD_SOCKET
start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
	ucspi-tls -p '' mailfront smtp echo starttls-ucspi accept
exchange 'TLSD_SOCKET' -tls
like "$(cat "$work/tlsd.log")" '^tlsd: tls [0-9]+ accept' 'which tlsd has logged'
stop "$tlsd"
swaks --server 127.0.0.1 --port "$port" --helo client.example --from a@client.example \
	--to u@example.org >"$work/swaks.out" 2>&1
is $? 0 'without that tlsd mail still goes in plain text'
unlike "$(cat "$work/swaks.out")" STARTTLS 'and no TLS is promised'
like "$(cat "$work/log")" '^ucspi-tls: warning: TLS is not offered' 'with a warning'
stop "$server"
unset TLSD_SOCKET

# No tlsd at all, and Debian's tcpserver.
CERTFILE=$work/mx
export CERTFILE
rm -f "$work/port"
/usr/bin/tcpserver -1 -v -R -H -l mx.example -x "$work/rules.cdb" 127.0.0.1 0 \
	ucspi-tls -p '' mailfront smtp echo starttls-ucspi accept \
	>"$work/port" 2>"$work/log" &
server=$!
started="$started $server"
wait_until test -s "$work/port"
port=$(cat "$work/port")
exchange "Debian's tcpserver, no tlsd" -tls
wait_for_line "$work/log" '^tcpserver: end [0-9]+ status 0$'
is $? 0 'and all ends well'
stop "$server"
done_testing
