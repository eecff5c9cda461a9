// What an operator is told of TLS with a server that came to nothing.

/** What the platform knows of an error: OpenSSL's own have a `reason`. */
type TlsError = Error & { readonly code?: string | undefined; readonly reason?: string | undefined };

const noCommonProtocol = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** One line, in words of the policy where it has some. */
export function tlsProblemOf(error: TlsError): string {
  if (error.code === noCommonProtocol) return 'the server does not offer the protocol in TLS; http2 asks for HTTP/2';
  const message = error.reason ?? error.message;
  return message.replace(/; if the root CA is installed locally.*$/s, '; tls.ca names whom to trust').trim();
}

/**
 * Whether the server broke off because it does not accept what it was shown. In TLS 1.3 it says so only after its side of the
 * handshake, when a request may have been sent (RFC 8446, 4.4.2.4).
 */
export function isTlsAlert({ code = '' }: TlsError): boolean {
  return code.startsWith('ERR_SSL_') && code.includes('ALERT');
}
