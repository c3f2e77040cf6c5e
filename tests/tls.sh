# Certificates, an sslserver and a client for the tests of TLS; read in after
# lib.sh. Everything that tlsd and ucspi-tls look at is unset first.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # for the tests; from lib.sh

unset SSL UCSPITLS SSLCTLFD SSLREADFD SSLWRITEFD CERTFILE KEYFILE CERTCHAINFILE \
	OCSPFILE CAFILE CADIR CCAFILE CRLDIR DHFILE CIPHERS VERIFYDEPTH TLSD_FD \
	TLSD_SOCKET SSL_UID SSL_GID SSL_CHROOT TLS_SERVER_CERT

# make_key FILE [OPENSSL-ARGUMENT…]: P-256 unless told otherwise
make_key() {
	make_key_file=$1
	shift
	[ $# -gt 0 ] || set -- -algorithm EC -pkeyopt ec_paramgen_curve:P-256
	(umask 077 && openssl genpkey "$@" -out "$make_key_file" 2>/dev/null)
}
# make_ca: $work/ca.pem and $work/ca.key
make_ca() {
	make_key "$work/ca.key"
	openssl req -x509 -new -key "$work/ca.key" -days 30 \
		-subj '/O=chainmail tests/CN=Test CA' -out "$work/ca.pem" \
		-addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
}
# make_certificate FILE NAME [DAYS [KEY]]: FILE has the key and the certificate
# for the host, signed by the CA
make_certificate() {
	certificate_key=${4:-$1.key}
	[ -f "$certificate_key" ] || make_key "$certificate_key"
	printf '%s\n' "subjectAltName=DNS:$2,IP:127.0.0.1" \
		'extendedKeyUsage=serverAuth,clientAuth' \
		'basicConstraints=critical,CA:FALSE' \
		'keyUsage=critical,digitalSignature' \
		'authorityKeyIdentifier=keyid' \
		'subjectKeyIdentifier=hash' \
		'crlDistributionPoints=URI:http://127.0.0.1:9/none' >"$1.extensions"
	openssl req -new -key "$certificate_key" -subj "/CN=$2" 2>/dev/null |
		openssl x509 -req -days "${3:-20}" -CA "$work/ca.pem" \
			-CAkey "$work/ca.key" -extfile "$1.extensions" \
			-out "$1.crt" 2>/dev/null
	(umask 077 && cat "$certificate_key" "$1.crt" >"$1")
}

# start_sslserver LOG ARGUMENT…: as start_tcpserver; sslserver's own options come
# first, its environment is that of the test, and $under a command before it.
under=
start_sslserver() {
	start_log=$1
	shift
	start_options=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		start_options="$start_options $1"
		shift
	done
	shift
	rm -f "$work/port"
	# shellcheck disable=SC2086 # words without blanks
	$under "$bin/sslserver" -1 -v -R -H -l mx.example $start_options \
		127.0.0.1 0 "$@" >"$work/port" 2>"$start_log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port" || {
		echo "Bail out! sslserver did not start: $(cat "$start_log")"
		exit 1
	}
	port=$(cat "$work/port")
}

# secure [OPTION…]: openssl's client; standard input is what it says, it ends
# when the server does. What it has to remark is in $work/client
secure() {
	timeout 30 openssl s_client -quiet -verify_return_error \
		-CAfile "$work/ca.pem" -connect "127.0.0.1:$port" "$@" \
		2>"$work/client"
}
