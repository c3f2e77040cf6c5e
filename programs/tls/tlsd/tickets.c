/* SPDX-License-Identifier: ISC */
#include "tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* The session process has one set of keys; OpenSSL's callback gets no pointer
   of ours but through its context. */
static int tickets_index = -1;

/* Looked up once, not for every ticket. */
static EVP_CIPHER *ticket_cipher;

static time_t now(void)
{
	struct timespec at;

	/* Goes on while the machine sleeps, and nobody sets it. */
	clock_gettime(CLOCK_BOOTTIME, &at);
	return at.tv_sec;
}

/* SHA-256 of the label and the seed: one of the secrets that the seed gives. */
static void derive(const char *label, const unsigned char seed[TICKET_SECRET],
		   unsigned char *into, size_t length)
{
	unsigned char text[16 + TICKET_SECRET] = { 0 };
	unsigned char hash[SHA256_DIGEST_LENGTH];

	memcpy(text, label, strnlen(label, 16));
	memcpy(text + 16, seed, TICKET_SECRET);
	SHA256(text, sizeof text, hash);
	memcpy(into, hash, length);
	OPENSSL_cleanse(text, sizeof text);
	OPENSSL_cleanse(hash, sizeof hash);
}

static void make_key(const unsigned char seed[TICKET_SECRET],
		     struct ticket_key *key)
{
	derive("name", seed, key->name, sizeof key->name);
	derive("cipher", seed, key->cipher, sizeof key->cipher);
	derive("mac", seed, key->mac, sizeof key->mac);
}

int tickets_begin(struct tickets *tickets, unsigned long seconds)
{
	*tickets = (struct tickets){ .seconds = seconds, .since = now() };
	if (getrandom(tickets->seed, sizeof tickets->seed, 0) !=
	    sizeof tickets->seed)
		return -1;
	make_key(tickets->seed, &tickets->current);
	/* No ticket was made with it; it only must not be all zeros. */
	derive("none", tickets->seed, tickets->previous.cipher, TICKET_SECRET);
	derive("none", tickets->seed, tickets->previous.mac, TICKET_SECRET);
	derive("none", tickets->seed, tickets->previous.name, TICKET_NAME);
	return 0;
}

void tickets_rotate(struct tickets *tickets)
{
	time_t at = now();

	if (!tickets->seconds) return;
	while (at - tickets->since >= (time_t)tickets->seconds) {
		tickets->previous = tickets->current;
		derive("next", tickets->seed, tickets->seed, TICKET_SECRET);
		make_key(tickets->seed, &tickets->current);
		tickets->since += (time_t)tickets->seconds;
	}
}

void tickets_freeze(struct tickets *tickets)
{
	OPENSSL_cleanse(tickets->seed, sizeof tickets->seed);
}

static int set_key(const struct ticket_key *key, const unsigned char *iv,
		   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int writing)
{
	/* Parameters are never const. */
	char digest[] = "SHA256";
	unsigned char secret[TICKET_SECRET];
	OSSL_PARAM parameters[3];
	int set;

	memcpy(secret, key->mac, sizeof secret);
	parameters[0] = OSSL_PARAM_construct_octet_string(
		OSSL_MAC_PARAM_KEY, secret, sizeof secret);
	parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
							 digest, 0);
	parameters[2] = OSSL_PARAM_construct_end();
	set = EVP_CipherInit_ex2(cipher, ticket_cipher, key->cipher, iv,
				 writing, NULL) == 1 &&
	      EVP_MAC_CTX_set_params(mac, parameters) == 1;
	OPENSSL_cleanse(secret, sizeof secret);
	return set;
}

/* OpenSSL asks: for a new ticket (fill in the name and the iv), or for one that
   came: 0 not ours, 1 ours, 2 ours and due to be replaced, -1 failed. With TLS
   1.3 a ticket is used once (RFC 8446 appendix C.4), so there is always another
   one. */
static int find_key(SSL *ssl, unsigned char name[TICKET_NAME],
		    unsigned char iv[EVP_MAX_IV_LENGTH], EVP_CIPHER_CTX *cipher,
		    EVP_MAC_CTX *mac, int writing)
{
	const struct tickets *tickets =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index);
	const struct ticket_key *key = &tickets->current;
	int answer = SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;

	if (writing) {
		memcpy(name, key->name, TICKET_NAME);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(ticket_cipher)) !=
		    1)
			return -1;
	} else if (memcmp(name, key->name, TICKET_NAME) != 0) {
		key = &tickets->previous;
		answer = 2;
		if (memcmp(name, key->name, TICKET_NAME) != 0) return 0;
	}
	return set_key(key, iv, cipher, mac, writing) ? answer : -1;
}

/* The name in the client's first message (RFC 6066 section 3): a list with its
   length, of a kind (0: a host), the length of the name, the name. OpenSSL has
   not read it yet. Its length, or 0. */
static size_t find_name(SSL *ssl, const unsigned char **name)
{
	enum { AT_KIND = 2, AT_LENGTH = 3, AT_NAME = 5 };
	const unsigned char *list;
	size_t size, length;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &list,
				      &size) != 1 ||
	    size < AT_NAME || list[AT_KIND] != TLSEXT_NAMETYPE_host_name)
		return 0;
	length = (size_t)list[AT_LENGTH] << 8 | list[AT_LENGTH + 1];
	if (length > size - AT_NAME) return 0;
	*name = list + AT_NAME;
	return length;
}

static bool is_for_name(SSL *ssl, const SSL_SESSION *session)
{
	const char *known = SSL_SESSION_get0_hostname(session);
	const unsigned char *wanted = NULL;
	size_t length = find_name(ssl, &wanted);

	if (!known || !length) return !known && !length;
	return strlen(known) == length &&
	       strncasecmp(known, (const char *)wanted, length) == 0;
}

/* A client that wants another name than in the session must not resume it
   (RFC 6066 section 3). With TLS 1.3 it may: the name is then its new one. */
static SSL_TICKET_RETURN judge(SSL *ssl, SSL_SESSION *session,
			       const unsigned char *key, size_t key_length,
			       SSL_TICKET_STATUS status, void *unused)
{
	(void)key, (void)key_length, (void)unused;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION &&
	    !is_for_name(ssl, session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
					    : SSL_TICKET_RETURN_USE_RENEW;
}

void tickets_use(struct tickets *tickets, SSL_CTX *context)
{
	/* Nothing is kept between sessions but by the client. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (!tickets->seconds) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(context, 0);
		return;
	}
	if (tickets_index < 0)
		tickets_index =
			SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (!ticket_cipher)
		ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	SSL_CTX_set_ex_data(context, tickets_index, tickets);
	/* The key a ticket was made with is still read when it runs out. */
	SSL_CTX_set_timeout(context, (long)tickets->seconds);
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, find_key);
	SSL_CTX_set_session_ticket_cb(context, NULL, judge, NULL);
}
