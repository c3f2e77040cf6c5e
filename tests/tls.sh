# Certificates, an sslserver and a client for the tests of TLS; read in after
# lib.sh. Everything that tlsd and ucspi-tls look at is unset first.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # for the tests; from lib.sh

unset SSL UCSPITLS SSLCTLFD SSLREADFD SSLWRITEFD CERTFILE KEYFILE CERTCHAINFILE \
	OCSPFILE CAFILE CADIR CCAFILE CRLDIR DHFILE CIPHERS VERIFYDEPTH TLSD_FD \
	TLSD_SOCKET SSL_UID SSL_GID SSL_CHROOT TLS_SERVER_CERT

# make_key FILE [KIND]: ec (P-256) or rsa:BITS
make_key() {
	case ${2:-ec} in
	ec) set -- "$1" EC ec_paramgen_curve:P-256 ;;
	*) set -- "$1" RSA "rsa_keygen_bits:${2#*:}" ;;
	esac
	(umask 077 && openssl genpkey -algorithm "$2" -pkeyopt "$3" \
		-out "$1" 2>/dev/null)
}
# make_ca [NAME [COMMON-NAME]]: $work/NAME.pem and $work/NAME.key
make_ca() {
	make_key "$work/${1:-ca}.key"
	openssl req -x509 -new -key "$work/${1:-ca}.key" -days 30 \
		-subj "/O=chainmail tests/CN=${2:-Test CA}" \
		-out "$work/${1:-ca}.pem" \
		-addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
}
# make_certificate [-c CA] [-d DAYS] [-k KIND] [-s SUBJECT] NAME HOST:
# $work/NAME.crt is for the host, signed by the CA, $work/NAME.key its key; both
# are in $work/NAME.
make_certificate() {
	ca=ca days=20 kind=ec subject=
	OPTIND=1
	while getopts c:d:k:s: letter; do
		case $letter in
		c) ca=$OPTARG ;;
		d) days=$OPTARG ;;
		k) kind=$OPTARG ;;
		s) subject=$OPTARG ;;
		*) return 1 ;;
		esac
	done
	shift $((OPTIND - 1))
	made=$work/$1
	make_key "$made.key" "$kind"
	printf '%s\n' "subjectAltName=DNS:$2,IP:127.0.0.1" \
		'extendedKeyUsage=serverAuth,clientAuth' \
		'basicConstraints=critical,CA:FALSE' \
		'keyUsage=critical,digitalSignature' \
		'authorityKeyIdentifier=keyid' \
		'subjectKeyIdentifier=hash' \
		'crlDistributionPoints=URI:http://127.0.0.1:9/none' \
		>"$made.extensions"
	openssl req -new -key "$made.key" -subj "${subject:-/CN=$2}" 2>/dev/null |
		openssl x509 -req -days "$days" -CA "$work/$ca.pem" \
			-CAkey "$work/$ca.key" -extfile "$made.extensions" \
			-out "$made.crt" 2>/dev/null
	(umask 077 && cat "$made.key" "$made.crt" >"$made")
}

# start_sslserver LOG ARGUMENT…: as start_tcpserver; sslserver's own options come
# first, its environment is that of the test, and $under a command before it.
under=
start_sslserver() {
	sslserver_log=$1
	sslserver_options=
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		sslserver_options="$sslserver_options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words without blanks
	start_server "$sslserver_log" $under "$bin/sslserver" -1 -v -R -H \
		-l mx.example $sslserver_options 127.0.0.1 0 "$@"
}

# secure [OPTION…]: openssl's client; standard input is what it says, it ends
# when the server does. What it has to remark is in $work/client
secure() {
	timeout 30 openssl s_client -quiet -verify_return_error \
		-CAfile "$work/ca.pem" -connect "127.0.0.1:$port" "$@" \
		2>"$work/client"
}
