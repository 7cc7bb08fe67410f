package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.LimitSettings;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.server.audit.AuditFilter;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.web.filter.OncePerRequestFilter;

import java.io.IOException;
import java.net.InetAddress;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Keeps anybody from having too much of a server: requests without a valid token are limited for
/// each address, those with one for each token or person, and bodies in their size. In memory: each
/// server counts by itself.
///
/// An address that has tried too much is refused before anybody looks at its token, unless the token
/// is one that was good a while ago: so who guesses keeps nobody out who shares his address.
final class Limits {
    private static final int STATUS = 429;
    private static final int MOST_GOOD = 1000;
    private static final int NETWORK_BYTES = 8; // of IPv6, a host has all addresses of a /64
    private static final Set<String> WITHOUT_BODY = Set.of("GET", "HEAD", "OPTIONS", "DELETE");

    private final LimitSettings settings;
    private final AuditFilter audit;
    private final Buckets addresses;
    private final Buckets callers;
    private final Set<String> good =
            Collections.synchronizedSet(
                    Collections.newSetFromMap(
                            new LinkedHashMap<>() {
                                private static final long serialVersionUID = 1;

                                @Override
                                protected boolean removeEldestEntry(
                                        Map.Entry<String, Boolean> eldest) {
                                    return size() > MOST_GOOD;
                                }
                            }));

    Limits(LimitSettings settings, AuditFilter audit) {
        this.settings = settings;
        this.audit = audit;
        this.addresses = new Buckets(settings.refusalsPerMinute());
        this.callers = new Buckets(settings.requestsPerMinute());
    }

    /// Stands before whoever looks at tokens.
    OncePerRequestFilter ofStrangers() {
        return new OncePerRequestFilter() {
            @Override
            protected void doFilterInternal(
                    HttpServletRequest request, HttpServletResponse response, FilterChain chain)
                    throws ServletException, IOException {
                stranger(request, response, chain);
            }
        };
    }

    /// Stands behind whoever looks at tokens.
    OncePerRequestFilter ofCallers() {
        return new OncePerRequestFilter() {
            @Override
            protected void doFilterInternal(
                    HttpServletRequest request, HttpServletResponse response, FilterChain chain)
                    throws ServletException, IOException {
                Authentication who = SecurityContextHolder.getContext().getAuthentication();
                long seconds = who == null ? 0 : callers.take(who.getName());
                if (seconds > 0) {
                    refuse(request, response, seconds);
                } else {
                    chain.doFilter(request, response);
                }
            }
        };
    }

    private void stranger(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String address = address(request.getRemoteAddr());
        String token = request.getHeader("Authorization");
        String digest = token == null ? "" : digest(token);
        long seconds = good.contains(digest) ? 0 : addresses.wait(address);
        if (seconds > 0 && !isProbe(request)) {
            refuse(request, response, seconds);
            return;
        }
        if (isTooLarge(request)) {
            audit.refuse(request, "413 " + ErrorCode.BODY_TOO_LARGE.id());
            ProblemAnswers.write(
                    response,
                    HttpServletResponse.SC_REQUEST_ENTITY_TOO_LARGE,
                    ErrorCode.BODY_TOO_LARGE);
            return;
        }
        chain.doFilter(request, response);
        boolean refused = response.getStatus() == HttpServletResponse.SC_UNAUTHORIZED;
        if (refused) {
            good.remove(digest);
        }
        if (refused || token == null && !isProbe(request)) {
            addresses.take(address);
        } else if (token != null
                && token.startsWith("Bearer ")
                && !isProbe(request)
                && response.getStatus() < 500) {
            good.add(digest);
        }
    }

    /// Whether it is about the health of the server, which is asked for all the time.
    static boolean isProbe(HttpServletRequest request) {
        String path = request.getRequestURI();
        return path.equals("/health") || path.startsWith("/health/") || path.equals("/metrics");
    }

    /// What does not say how long it is could be any length.
    private boolean isTooLarge(HttpServletRequest request) {
        long length = request.getContentLengthLong();
        return length > settings.body().bytes()
                || length < 0
                        && request.getHeader("Transfer-Encoding") != null
                        && !WITHOUT_BODY.contains(request.getMethod());
    }

    private void refuse(HttpServletRequest request, HttpServletResponse response, long seconds)
            throws IOException {
        audit.refuse(request, STATUS + " " + ErrorCode.RATE_EXCEEDED.id());
        response.setHeader("Retry-After", Long.toString(seconds));
        ProblemAnswers.write(response, STATUS, ErrorCode.RATE_EXCEEDED);
    }

    private static String address(String text) {
        try {
            byte[] bytes = InetAddress.ofLiteral(text).getAddress();
            return bytes.length > NETWORK_BYTES
                    ? HexFormat.of().formatHex(bytes, 0, NETWORK_BYTES)
                    : text;
        } catch (IllegalArgumentException _) {
            return text;
        }
    }

    private static String digest(String token) {
        return Bytes.sha256Hex(token);
    }
}
