/* SPDX-License-Identifier: ISC */
#include "staple.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/message.h"
#include "base/str.h"
#include "reason.h"
#include "system/file.h"

enum { STAPLE_LIMIT = 65535 };

/* What a context's callback is given, and behind it the bytes. */
struct staple {
	time_t until; /* 0: for ever */
	size_t length;
};

/* When the first answer of the response is due to be replaced. */
static time_t next_update(OCSP_RESPONSE *response)
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	OCSP_SINGLERESP *single = basic ? OCSP_resp_get0(basic, 0) : NULL;
	ASN1_GENERALIZEDTIME *next = NULL;
	struct tm calendar;
	time_t until = 0;

	if (single) OCSP_single_get0_status(single, NULL, NULL, NULL, &next);
	if (next && ASN1_TIME_to_tm(next, &calendar) == 1)
		until = timegm(&calendar);
	OCSP_BASICRESP_free(basic);
	return until;
}

static int give_staple(SSL *ssl, void *argument)
{
	const char *at = argument;
	struct staple staple;
	unsigned char *bytes;

	memcpy(&staple, at, sizeof staple);
	if (staple.until && time(NULL) > staple.until)
		return SSL_TLSEXT_ERR_NOACK;
	bytes = OPENSSL_memdup(at + sizeof staple, staple.length);
	if (!bytes) return SSL_TLSEXT_ERR_NOACK;
	/* OpenSSL frees it. */
	SSL_set_tlsext_status_ocsp_resp(ssl, bytes, (long)staple.length);
	return SSL_TLSEXT_ERR_OK;
}

static OCSP_RESPONSE *read_response(const char *path, struct str *text)
{
	const unsigned char *at;
	OCSP_RESPONSE *response;

	if (file_read(path, text, STAPLE_LIMIT) < 0) {
		warn("unable to load OCSP response %s:", path);
		return NULL;
	}
	str_append(text, "", 0);
	at = (const unsigned char *)text->data;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)text->length);
	if (!response)
		warn("unable to load OCSP response %s: %s", path,
		     reason_take());
	else if (OCSP_response_status(response) !=
		 OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		warn("unable to load OCSP response %s: it is the answer \"%s\"",
		     path,
		     OCSP_response_status_str(OCSP_response_status(response)));
		OCSP_RESPONSE_free(response);
		response = NULL;
	}
	return response;
}

void staple_use(SSL_CTX *context, const char *path)
{
	struct str text = { 0 };
	OCSP_RESPONSE *response = read_response(path, &text);
	struct str given = { 0 }; /* stays as long as the context */
	struct staple staple;

	if (response) {
		staple.until = next_update(response);
		staple.length = text.length;
		str_append(&given, &staple, sizeof staple);
		str_append(&given, text.data, text.length);
		if (staple.until && time(NULL) > staple.until)
			warn("OCSP response %s is too old", path);
		SSL_CTX_set_tlsext_status_cb(context, give_staple);
		SSL_CTX_set_tlsext_status_arg(context, given.data);
		OCSP_RESPONSE_free(response);
	}
	str_free(&text);
}
