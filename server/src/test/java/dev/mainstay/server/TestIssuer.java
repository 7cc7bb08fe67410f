package dev.mainstay.server;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// An issuer of tokens on this host: discovery, keys, and tokens good and bad.
final class TestIssuer implements AutoCloseable {
    static final String AUDIENCE = "mainstay";

    private final HttpServer http;
    private final String url;
    private final List<RSAKey> keys = new ArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();

    TestIssuer() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        url = "http://127.0.0.1:" + http.getAddress().getPort() + "/realm";
        http.createContext(
                "/realm/.well-known/openid-configuration",
                exchange ->
                        answer(
                                exchange,
                                "{\"issuer\":\"%1$s\",\"jwks_uri\":\"%1$s/keys\"}".formatted(url)));
        http.createContext(
                "/realm/keys",
                exchange -> {
                    asked.incrementAndGet();
                    answer(exchange, new JWKSet(List.copyOf(keys)).toString());
                });
        http.start();
        rotate();
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    String url() {
        return url;
    }

    /// How often its keys were asked for.
    int asked() {
        return asked.get();
    }

    /// From now on a new key signs.
    void rotate() {
        keys.addFirst(newKey("key-" + keys.size()));
    }

    private static RSAKey newKey(String id) {
        try {
            return new RSAKeyGenerator(2048).keyID(id).generate();
        } catch (JOSEException impossible) {
            throw new AssertionError(impossible);
        }
    }

    JWTClaimsSet.Builder claims() {
        return new JWTClaimsSet.Builder()
                .issuer(url)
                .audience(AUDIENCE)
                .subject("s-1")
                .claim("preferred_username", "alice")
                .claim("realm_access", Map.of("roles", List.of("dba", "staff")))
                .issueTime(Date.from(Instant.now()))
                .expirationTime(Date.from(Instant.now().plusSeconds(600)));
    }

    String token(JWTClaimsSet claims) {
        return signed(keys.getFirst(), claims);
    }

    /// Signed with a key that the issuer does not have, under the name of one that it has.
    String forged(JWTClaimsSet claims) {
        return signed(newKey(keys.getFirst().getKeyID()), claims);
    }

    /// Signed with a key of a name that nobody knows.
    String unknown(JWTClaimsSet claims) {
        return signed(newKey("another"), claims);
    }

    private static String signed(RSAKey key, JWTClaimsSet claims) {
        try {
            return signed(
                    new JWSHeader.Builder(JWSAlgorithm.RS256)
                            .keyID(key.getKeyID())
                            .type(JOSEObjectType.JWT)
                            .build(),
                    new RSASSASigner(key),
                    claims);
        } catch (JOSEException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static String signed(JWSHeader header, JWSSigner signer, JWTClaimsSet claims)
            throws JOSEException {
        SignedJWT jwt = new SignedJWT(header, claims);
        jwt.sign(signer);
        return jwt.serialize();
    }

    String unsigned(JWTClaimsSet claims) {
        return new PlainJWT(claims).serialize();
    }

    /// As if the public key were a secret that both sides share.
    String confused(JWTClaimsSet claims) {
        try {
            RSAKey key = keys.getFirst();
            return signed(
                    new JWSHeader.Builder(JWSAlgorithm.HS256)
                            .keyID(key.getKeyID())
                            .type(JOSEObjectType.JWT)
                            .build(),
                    new MACSigner(key.toRSAPublicKey().getEncoded()),
                    claims);
        } catch (JOSEException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public void close() {
        http.stop(0);
    }
}
