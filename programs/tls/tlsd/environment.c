/* SPDX-License-Identifier: ISC */
#include "environment.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What scripts have always found there. */
static const char library_interface[] = "ucspi-ssl";

enum { VARIABLE_NAME = 64 };

/* The parts of a name that have a variable each. */
static const struct part {
	const char *suffix;
	int nid;
} parts[] = {
	{ "C", NID_countryName },
	{ "CN", NID_commonName },
	{ "D", NID_description },
	{ "Email", NID_pkcs9_emailAddress },
	{ "G", NID_givenName },
	{ "I", NID_initials },
	{ "L", NID_localityName },
	{ "O", NID_organizationName },
	{ "OU", NID_organizationalUnitName },
	{ "S", NID_surname },
	{ "ST", NID_stateOrProvinceName },
	{ "T", NID_title },
	{ "UID", NID_userId },
};

/* One certificate's variables begin with SSL_SERVER or SSL_CLIENT. */
struct subject {
	struct str *block;
	const char *prefix;
	X509 *certificate;
};

static void add_bytes(struct str *block, const char *name, const char *value,
		      size_t length)
{
	size_t size = strlen(name) + 1 + length + 1;

	/* One is kept for the NUL at the end. */
	if (block->length + size >= ENVIRONMENT_LIMIT) return;
	str_append_text(block, name);
	str_append_byte(block, '=');
	str_append(block, value, length);
	str_append_byte(block, '\0');
}

static void add(struct str *block, const char *name, const char *value)
{
	add_bytes(block, name, value, strlen(value));
}

static void add_number(struct str *block, const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof text, "%d", number);
	add(block, name, text);
}

/* Text of the other side's making. What is no ASCII may be UTF-8. */
static void add_untrusted(struct str *block, const char *name,
			  const unsigned char *value, size_t length)
{
	struct str clean = { 0 };

	for (size_t i = 0; i < length; i++)
		str_append_byte(&clean, value[i] < 32 || value[i] == 127
						? '?'
						: (char)value[i]);
	add_bytes(block, name, length ? clean.data : "", length);
	str_free(&clean);
}

static void add_hex(struct str *block, const char *name, const char *before,
		    const unsigned char *bytes, size_t length)
{
	struct str text = { 0 };

	str_append_text(&text, before);
	for (size_t i = 0; i < length; i++) {
		static const char digits[] = "0123456789abcdef";

		str_append_byte(&text, digits[bytes[i] >> 4]);
		str_append_byte(&text, digits[bytes[i] & 15]);
	}
	add(block, name, text.data);
	str_free(&text);
}

/* What the BIO has collected; frees it. */
static void add_bio(struct str *block, const char *name, BIO *bio)
{
	char *text;
	long length = BIO_get_mem_data(bio, &text);

	if (length > 0) add_bytes(block, name, text, (size_t)length);
	BIO_free(bio);
}

static const char *name_of(const struct subject *subject, const char *suffix,
			   char name[VARIABLE_NAME])
{
	snprintf(name, VARIABLE_NAME, "%s_%s", subject->prefix, suffix);
	return name;
}

static void add_pem(const struct subject *subject, const char *suffix,
		    X509 *certificate)
{
	char name[VARIABLE_NAME];
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio) return;
	PEM_write_bio_X509(bio, certificate);
	add_bio(subject->block, name_of(subject, suffix, name), bio);
}

static void add_time(const struct subject *subject, const char *suffix,
		     const ASN1_TIME *when)
{
	char name[VARIABLE_NAME];
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio) return;
	ASN1_TIME_print(bio, when);
	add_bio(subject->block, name_of(subject, suffix, name), bio);
}

/* The first part of each kind. */
static void add_parts(const struct subject *subject, const char *suffix,
		      const X509_NAME *whose)
{
	char name[VARIABLE_NAME];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		int at = X509_NAME_get_index_by_NID(whose, parts[i].nid, -1);
		unsigned char *text;
		int length;

		if (at < 0) continue;
		length = ASN1_STRING_to_UTF8(
			&text, X509_NAME_ENTRY_get_data(
				       X509_NAME_get_entry(whose, at)));
		if (length < 0) continue;
		snprintf(name, sizeof name, "%s_%s_%s", subject->prefix, suffix,
			 parts[i].suffix);
		add_untrusted(subject->block, name, text, (size_t)length);
		OPENSSL_free(text);
	}
}

static void add_name(const struct subject *subject, const char *suffix,
		     const X509_NAME *whose)
{
	char name[VARIABLE_NAME];
	/* "/C=…/CN=…", what is no printable ASCII as \xHH. */
	char *line = X509_NAME_oneline(whose, NULL, 0);

	if (line) add(subject->block, name_of(subject, suffix, name), line);
	OPENSSL_free(line);
	add_parts(subject, suffix, whose);
}

static void add_serial(const struct subject *subject)
{
	char name[VARIABLE_NAME];
	BIGNUM *serial = ASN1_INTEGER_to_BN(
		X509_get0_serialNumber(subject->certificate), NULL);
	char *text = serial ? BN_bn2hex(serial) : NULL;

	if (text) add(subject->block, name_of(subject, "M_SERIAL", name), text);
	OPENSSL_free(text);
	BN_free(serial);
}

static const char *algorithm(int nid)
{
	return nid == NID_undef ? "UNKNOWN" : OBJ_nid2ln(nid);
}

static int key_nid(const X509 *certificate)
{
	ASN1_OBJECT *object = NULL;

	X509_PUBKEY_get0_param(&object, NULL, NULL, NULL,
			       X509_get_X509_PUBKEY(certificate));
	return object ? OBJ_obj2nid(object) : NID_undef;
}

static void add_certificate(const struct subject *subject)
{
	char name[VARIABLE_NAME];
	X509 *certificate = subject->certificate;

	add(subject->block, name_of(subject, "A_KEY", name),
	    algorithm(key_nid(certificate)));
	add(subject->block, name_of(subject, "A_SIG", name),
	    algorithm(X509_get_signature_nid(certificate)));
	add_number(subject->block, name_of(subject, "M_VERSION", name),
		   (int)X509_get_version(certificate) + 1);
	add_serial(subject);
	add_time(subject, "V_START", X509_get0_notBefore(certificate));
	add_time(subject, "V_END", X509_get0_notAfter(certificate));
	add_name(subject, "S_DN", X509_get_subject_name(certificate));
	add_name(subject, "I_DN", X509_get_issuer_name(certificate));
	add_pem(subject, "CERT", certificate);
}

static void add_chain(const struct subject *subject,
		      const STACK_OF(X509) * chain, int first)
{
	char suffix[32];

	for (int i = first; i < sk_X509_num(chain); i++) {
		snprintf(suffix, sizeof suffix, "CERT_CHAIN_%d", i - first + 1);
		add_pem(subject, suffix, sk_X509_value(chain, i));
	}
}

/* A host name, or something that no program should be handed as one. */
static void add_host_name(struct str *block, const char *host)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";

	if (host && *host && strspn(host, good) == strlen(host))
		add(block, "SSL_TLS_SNI_SERVERNAME", host);
}

static void add_verdict(struct str *block, SSL *ssl, X509 *client)
{
	long verdict = SSL_get_verify_result(ssl);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length;
	char *line;

	add(block, "SSL_VERIFY_STATUS",
	    !client                ? "NOCERT"
	    : verdict == X509_V_OK ? "OK"
				   : "FAIL");
	if (!client) return;
	add(block, "SSL_VERIFY_STRING", X509_verify_cert_error_string(verdict));
	if (X509_digest(client, EVP_sha256(), hash, &length) == 1)
		add_hex(block, "SSL_PEER_CERT_HASH", "SHA256:", hash, length);
	line = X509_NAME_oneline(X509_get_subject_name(client), NULL, 0);
	if (line) add(block, "SSL_PEER_CERT_SUBJECT", line);
	OPENSSL_free(line);
}

static void add_session(struct str *block, SSL *ssl)
{
	unsigned length;
	const unsigned char *id =
		SSL_SESSION_get_id(SSL_get_session(ssl), &length);
	int most_bits;
	int bits = SSL_CIPHER_get_bits(SSL_get_current_cipher(ssl), &most_bits);

	add_hex(block, "SSL_SESSION_ID", "", id, length);
	add_number(block, "SSL_CIPHER_ALGKEYSIZE", most_bits);
	add_number(block, "SSL_CIPHER_USEKEYSIZE", bits);
	add(block, "SSL_CIPHER_EXPORT", "false");
	add(block, "SSL_VERSION_INTERFACE", library_interface);
	add(block, "SSL_VERSION_LIBRARY", OpenSSL_version(OPENSSL_VERSION));
}

static void add_all(struct str *block, SSL *ssl, X509 *client)
{
	struct subject server = { block, "SSL_SERVER",
				  SSL_get_certificate(ssl) };
	struct subject other = { block, "SSL_CLIENT", client };
	STACK_OF(X509) *chain = NULL;

	add_session(block, ssl);
	if (server.certificate) add_certificate(&server);
	if (client) add_certificate(&other);
	/* Chains last: it is they that may be too long. A server's view of the
	   client's chain is without the client. */
	SSL_get0_chain_certs(ssl, &chain);
	if (chain) add_chain(&server, chain, 0);
	if (client && SSL_get_peer_cert_chain(ssl))
		add_chain(&other, SSL_get_peer_cert_chain(ssl), 0);
}

void environment_append(struct str *block, SSL *ssl, bool all)
{
	X509 *client = SSL_get0_peer_certificate(ssl);

	add(block, "SSL_PROTOCOL", SSL_get_version(ssl));
	add(block, "SSL_CIPHER", SSL_get_cipher_name(ssl));
	add_host_name(block,
		      SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (all || client) add_verdict(block, ssl, client);
	if (all) add_all(block, ssl, client);
	str_append_byte(block, '\0');
}
