/* SPDX-License-Identifier: ISC */
#include "context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "client_certificates.h"
#include "file_bio.h"
#include "reason.h"
#include "staple.h"

/* For TLS 1.2: forward secrecy and authenticated encryption only. The suites of
   TLS 1.3 are all good ones. */
static const char default_ciphers[] =
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* Without the finite fields, where one handshake costs as much as ten.
   (OpenSSL's macro wants no const.) */
static char groups[] = "X25519:P-256:P-384:P-521";

enum {
	OLDEST_VERSION = TLS1_2_VERSION,
	MOST_NAMES = 1024,
	HOST_NAME = 256, /* RFC 1035 section 2.3.4, and a NUL */
};

static const char name_variable[] = "CERTFILE:";

/* In the order of their names, in any case of letters. */
static struct named {
	const char *name;
	SSL_CTX *context;
} names[MOST_NAMES];

static size_t name_count;

static int give_password(char *into, int size, int writing, void *password)
{
	size_t length = strnlen(password, (size_t)size);

	(void)writing;
	memcpy(into, password, length);
	return (int)length;
}

/* The first certificate is the server's own, those behind it lead to the CA. */
static X509 *load_chain(SSL_CTX *context, const char *path)
{
	static const char what[] = "certificate";
	struct str text = { 0 };
	BIO *bio = file_bio_open(what, path, &text);
	X509 *own = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	X509 *next;

	if (!own || SSL_CTX_use_certificate(context, own) != 1)
		die_of_file(what, path);
	while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (SSL_CTX_add0_chain_cert(context, next) != 1)
			die_of_file(what, path);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		die_of_file(what, path);
	ERR_clear_error();
	file_bio_close(bio, &text);
	return own;
}

static void refuse_expired(const X509 *certificate, const char *path)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		die_temporary("certificate %s has expired", path);
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		warn("certificate %s is not valid yet", path);
}

static EVP_PKEY *load_key(const struct settings *settings, const char *path)
{
	static const char what[] = "key";
	struct str text = { 0 };
	BIO *bio = file_bio_open(what, path, &text);
	char password[PASSWORD_SIZE];
	EVP_PKEY *key;
	struct stat file;

	memcpy(password, settings->password, sizeof password);
	key = PEM_read_bio_PrivateKey(bio, NULL, give_password, password);
	OPENSSL_cleanse(password, sizeof password);
	if (!key) die_of_file(what, path);
	if (stat(path, &file) == 0 && file.st_mode & S_IROTH)
		warn("everybody can read the key in %s", path);
	file_bio_close(bio, &text);
	return key;
}

static void load_pair(const struct settings *settings, SSL_CTX *context,
		      const char *certificate, const char *key)
{
	X509 *own = load_chain(context, certificate);
	EVP_PKEY *secret;

	refuse_expired(own, certificate);
	secret = load_key(settings, key);
	if (X509_check_private_key(own, secret) != 1)
		die_temporary("key does not match certificate: %s and %s", key,
			      certificate);
	if (SSL_CTX_use_PrivateKey(context, secret) != 1)
		die_of_file("key", key);
	X509_free(own);
	EVP_PKEY_free(secret);
	if (settings->verbosity == VERBOSE) {
		note("cert %d %s", (int)getpid(), certificate);
		note("key %d %s", (int)getpid(), key);
	}
}

/* The next of some names with commas between them; an empty list gives the
   same name for ever. */
static const char *next_name(const char **list, struct str *name)
{
	size_t length = strcspn(*list, ",");

	str_clear(name);
	str_append(name, *list, length);
	*list += length;
	if (**list) ++*list;
	return name->data;
}

/* "rsa.pem,ecdsa.pem" is two certificates for one name: OpenSSL takes the one
   that the client understands. */
static void load_pairs(const struct settings *settings, SSL_CTX *context,
		       const char *certificates, const char *keys)
{
	struct str certificate = { 0 }, key = { 0 };

	if (!keys) keys = certificates;
	do {
		next_name(&certificates, &certificate);
		next_name(&keys, &key);
		load_pair(settings, context, certificate.data, key.data);
	} while (*certificates && *keys);
	if (*certificates || *keys)
		die_temporary("there are not as many keys as certificates");
	str_free(&key);
	str_free(&certificate);
}

static void load_dh(SSL_CTX *context, const char *path)
{
	static const char what[] = "DH parameters";
	struct str text = { 0 };
	BIO *bio;
	EVP_PKEY *parameters;

	/* Used only when CIPHERS asks for a finite field at all. */
	if (!path) {
		SSL_CTX_set_dh_auto(context, 1);
		return;
	}
	bio = file_bio_open(what, path, &text);
	parameters = PEM_read_bio_Parameters(bio, NULL);
	if (!parameters || SSL_CTX_set0_tmp_dh_pkey(context, parameters) != 1)
		die_of_file(what, path);
	file_bio_close(bio, &text);
}

/* Everything but the certificate. */
static SSL_CTX *new_context(const struct settings *settings,
			    struct tickets *tickets)
{
	const char *ciphers =
		settings->ciphers ? settings->ciphers : default_ciphers;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context) die_temporary("unable to use OpenSSL: %s", reason_take());
	if (SSL_CTX_set_min_proto_version(context, OLDEST_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(context, groups) != 1)
		die_temporary("unable to set up TLS: %s", reason_take());
	if (SSL_CTX_set_cipher_list(context, ciphers) != 1)
		die_temporary("unable to set cipher list: %s", reason_take());
	/* A client that closes without close_notify has closed: SMTP knows its
	   own ends. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_early_data(context, 0);
	SSL_CTX_set_read_ahead(context, 1);
	load_dh(context, settings->dh_file);
	client_certificates_use(settings, context);
	tickets_use(tickets, context);
	return context;
}

static SSL_CTX *load_context(const struct settings *settings,
			     struct tickets *tickets, const char *certificate,
			     const char *key, const char *staple)
{
	SSL_CTX *context = new_context(settings, tickets);

	load_pairs(settings, context, certificate, key);
	if (staple) staple_use(context, staple);
	return context;
}

static int compare_names(const void *a, const void *b)
{
	const struct named *first = a, *second = b;

	return strcasecmp(first->name, second->name);
}

static SSL_CTX *find_context(const char *name)
{
	struct named wanted = { .name = name };
	const struct named *found = bsearch(&wanted, names, name_count,
					    sizeof names[0], compare_names);
	char wild[HOST_NAME];
	const char *dot = strchr(name, '.');

	if (!found && dot && strlen(dot) + 1 < sizeof wild) {
		snprintf(wild, sizeof wild, "*%s", dot);
		wanted.name = wild;
		found = bsearch(&wanted, names, name_count, sizeof names[0],
				compare_names);
	}
	return found ? found->context : NULL;
}

static int choose_context(SSL *ssl, int *alert, void *unused)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *context;

	(void)alert, (void)unused;
	if (!name) return SSL_TLSEXT_ERR_NOACK;
	context = find_context(name);
	if (context) SSL_set_SSL_CTX(ssl, context);
	return SSL_TLSEXT_ERR_OK;
}

/* The variable VARIABLE:NAME, or NULL when it is unset or empty. */
static const char *variable_of(const char *variable, const char *name)
{
	struct str text = { 0 };
	const char *value;

	str_append_text(&text, variable);
	str_append_byte(&text, ':');
	str_append_text(&text, name);
	value = getenv(text.data);
	str_free(&text);
	return value && *value ? value : NULL;
}

/* CERTFILE:NAME=PATH, with KEYFILE:NAME and OCSPFILE:NAME beside it. */
static void load_named(const struct settings *settings, struct tickets *tickets)
{
	size_t prefix = strlen(name_variable);

	for (char **entry = environ; *entry; entry++) {
		char *name = *entry + prefix;
		char *value = strchr(*entry, '=');

		if (strncmp(*entry, name_variable, prefix) != 0) continue;
		if (!value || !value[1] || value <= name) continue;
		if (name_count == MOST_NAMES)
			die_temporary("more than %d names have certificates",
				      MOST_NAMES);
		/* In this process nobody else looks for the variable. */
		*value++ = '\0';
		names[name_count++] = (struct named){
			name, load_context(settings, tickets, value,
					   variable_of("KEYFILE", name),
					   variable_of("OCSPFILE", name))
		};
	}
	qsort(names, name_count, sizeof names[0], compare_names);
}

SSL_CTX *context_named(size_t index)
{
	return index < name_count ? names[index].context : NULL;
}

SSL_CTX *context_load(const struct settings *settings, struct tickets *tickets)
{
	SSL_CTX *context;

	if (!settings->certificate)
		die_temporary("unable to load certificate: CERTFILE is not "
			      "set");
	client_certificates_load(settings);
	context = load_context(settings, tickets, settings->certificate,
			       settings->key, settings->staple);
	load_named(settings, tickets);
	SSL_CTX_set_tlsext_servername_callback(context, choose_context);
	return context;
}
