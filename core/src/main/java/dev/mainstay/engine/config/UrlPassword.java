package dev.mainstay.engine.config;

/// Finds the password in a connection URL: after the user (`//user:password@host`) or among the
/// parameters (`?password=…`).
final class UrlPassword {
    private static final String HIDDEN = "***";

    private UrlPassword() {}

    static boolean isIn(String url) {
        return !hide(url).equals(url);
    }

    static String hide(String url) {
        String hidden = hideAfterUser(url);
        int query = hidden.indexOf('?');
        if (query < 0) {
            return hidden;
        }
        StringBuilder result = new StringBuilder(hidden.substring(0, query));
        char separator = '?';
        for (String parameter : hidden.substring(query + 1).split("&", -1)) {
            int equals = parameter.indexOf('=');
            boolean secret = equals > 0 && parameter.substring(0, equals).endsWith("password");
            result.append(separator)
                    .append(secret ? parameter.substring(0, equals + 1) + HIDDEN : parameter);
            separator = '&';
        }
        return result.toString();
    }

    private static String hideAfterUser(String url) {
        int start = url.indexOf("//");
        if (start < 0) {
            return url;
        }
        start += 2;
        int query = url.indexOf('?', start);
        // The last @: an unescaped one in a password must not leave half of it visible.
        int at = url.lastIndexOf('@', query < 0 ? url.length() : query);
        int colon = url.indexOf(':', start);
        return colon > 0 && colon < at
                ? url.substring(0, colon + 1) + HIDDEN + url.substring(at)
                : url;
    }
}
