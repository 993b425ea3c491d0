# fish completion for tokenctl. `tokenctl completion fish` prints it; print it again after an update of tokenctl.
# No program starts at TAB.

# Reads the words before the cursor: sets __tokenctl_command (its name, such as profile set), __tokenctl_arguments (those
# of the command), __tokenctl_dashes (whether there was a --) and __tokenctl_file (the value of --config).
function __tokenctl_read
    set -g __tokenctl_command ''
    set -g __tokenctl_arguments
    set -g __tokenctl_dashes
    set -g __tokenctl_file
    set -l before ''
    # fish 4 expands ~ and variables in the words with -x; older ones do not know -x.
    set -l words (commandline -xpc 2>/dev/null; or commandline -opc)
    for word in $words[2..-1]
        if test -n "$before"
            test $before = --config; and set __tokenctl_file (string replace -r '^~/' "$HOME/" -- $word)
            set before ''
        else if test -z "$__tokenctl_dashes"; and string match -q -- '-*' $word
            test $word = --; and set __tokenctl_dashes $word
            string match -q -- '--config=*' $word; and set __tokenctl_file (string replace -- --config= '' $word)
            string match -rq -- $__tokenctl_takes_value $word; and set before $word
        else if test -z "$__tokenctl_arguments"
            and contains -- (string trim -- "$__tokenctl_command $word") $__tokenctl_commands
            set __tokenctl_command (string trim -- "$__tokenctl_command $word")
        else
            set -a __tokenctl_arguments $word
            test "$__tokenctl_command" = exec; and set __tokenctl_dashes -- # the words of a program are its own
        end
    end
end

# Tells whether the cursor is at this command, with this number of arguments before it (1+: one or more).
function __tokenctl_at --argument-names command number
    __tokenctl_read
    test "$__tokenctl_command" = "$command"; or return
    switch "$number"
        case ''
            return 0
        case '*+'
            test (count $__tokenctl_arguments) -ge (string replace + '' -- $number)
        case '*'
            test (count $__tokenctl_arguments) -eq $number
    end
end

# Tells whether the cursor is behind help and these words.
function __tokenctl_helps
    __tokenctl_read
    test "$__tokenctl_command" = help; and test "$__tokenctl_arguments" = "$argv"
end

# Prints the names of the profiles, from the config file (TOML). A name is compared and offered, and never evaluated.
function __tokenctl_profiles
    __tokenctl_read
    set -l config $__tokenctl_file
    set -q config[1]; or set config (__tokenctl_config)
    # Not from a pipe, which would wait.
    test -f "$config"; and test -r "$config"; or return 0

    # Without comments and multi-line strings, which can hold lines that look like tables.
    set -l multi '"""(?:[^"\\\\]++|\\\\.|"(?!""))*+"{3,5}'
    set -l literal '\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5}'
    set -l kept '"(?:[^"\\\\\n]++|\\\\.)*+"|\'[^\'\n]*+\''
    set -l text (string collect <$config)
    set text (string replace -ra "(?s)$multi|$literal|#[^\n]*+|($kept)" '$1' -- $text | string collect)
    set text (string replace -r '^[^\x00-\x7f]+' '' -- $text | string collect) # the mark that Windows editors write first

    set -l profiles '(?:profiles|"profiles"|\'profiles\')'
    set -l quoted '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'
    set -l key "(\"$quoted\"|'$quoted'|[A-Za-z0-9][A-Za-z0-9_-]{0,63})"
    set -l lines (string split \n -- $text)
    set -l top (string match -r '^(?:(?!\s*\[)[^\n]*+\n?)*+' -- $text)
    set -l inside (string match -r "(?m)^\s*\[\s*$profiles\s*\][^\n]*+(?:\n(?!\s*\[)[^\n]*+)*+" -- $text)
    begin
        string replace -rf "^\s*\[\s*$profiles\s*\.\s*$key\s*[].].*" '$1' -- $lines
        string replace -rf "^\s*$profiles\s*\.\s*$key\s*[.=].*" '$1' -- $top
        string replace -rf "^\s*$key\s*[.=].*" '$1' -- $inside
    end | string trim -c '"\'' | string replace -r '$' \tprofile
end

# Prints the config file's path, as tokenctl finds it without --config.
function __tokenctl_config
    if set -q TOKENCTL_CONFIG
        printf '%s\n' $TOKENCTL_CONFIG
    else if test -d /System/Library/CoreServices # macOS; uname would be a program
        printf '%s\n' "$HOME/Library/Application Support/tokenctl/config.toml"
    else if string match -q '/*' -- $XDG_CONFIG_HOME # a relative path would mean the current directory
        printf '%s\n' $XDG_CONFIG_HOME/tokenctl/config.toml
    else
        printf '%s\n' $HOME/.config/tokenctl/config.toml
    end
end

# Prints KEY= for each setting that is not there yet, or KEY=VALUE for each value of the setting at the cursor.
function __tokenctl_settings
    __tokenctl_read
    set -l token (commandline -ct)
    if string match -q '*=*' -- $token
        string match -- (string replace -r '=.*' '=*' -- $token) $__tokenctl_setting_values
    else
        set -l given (string replace -r '=.*' '' -- $__tokenctl_arguments)
        for key in $__tokenctl_settings
            contains -- $key $given; or printf '%s\n' "$key$argv"
        end
    end
end

# Prints -- first, since it ends the options; then the programs that `exec` can run: no function, no builtin.
function __tokenctl_programs
    __tokenctl_read
    set -l token (commandline -ct)
    if test -z "$token$__tokenctl_dashes"
        printf '%s\n' --
    else if string match -q '*/*' -- $token
        return # a file, which fish completes
    else
        for folder in $PATH
            for file in $folder/$token*
                test -f $file; and test -x $file; and string replace -r '.*/' '' -- $file
            end
        end
    end
end

# Completes the words of the program that `exec` runs, as its own completion does.
function __tokenctl_child
    __tokenctl_read
    set -l line (string join ' ' -- (string escape -- $__tokenctl_arguments) (commandline -ct))
    complete -C"$line"
end

complete -c tokenctl -f
set -g __tokenctl_commands 'login' 'token' 'exec' 'write-file' 'proxy' 'show' 'refresh' 'revoke' 'profile' 'profile default' 'profile list' 'profile remove' 'profile set' 'profile show' 'profile unset' 'helper' 'helper api-key' 'helper bazel' 'helper cargo' 'helper docker' 'helper gcp' 'helper git' 'helper go' 'helper install' 'helper kubectl' 'helper mcp-headers' 'helper pnpm' 'helper sasl' 'helper status' 'helper terraform' 'helper uninstall' 'store' 'store migrate' 'store show' 'audit' 'audit acknowledge' 'doctor' 'demo' 'completion' 'help' 'logout'
set -g __tokenctl_takes_value '^(--(allow|audience|client-id|config|config-file|env|flow|for|format|host|issuer|listen|min-ttl|on-refresh|param|port|profile|proxy|resource|scope|secret-file|secret-header|since|socket|source|store|timeout|to|ttl|user|wait)|-[^-p]*[p])$'
set -g __tokenctl_settings 'issuer' 'client_id' 'scope' 'resource' 'audience' 'hosts' 'host' 'flow' 'store' 'keyring_backend' 'passphrase_command' 'env' 'min_ttl' 'cache' 'audit' 'port' 'redirect_uri' 'token_endpoint_auth_method' 'client_key_file' 'client_key_id' 'assertion_algorithm' 'assertion_audience' 'source' 'source_audience' 'source_file' 'source_variable' 'source_command' 'service_connection' 'identity_use' 'narrow_by' 'renewal_ends_access_token' 'params' 'ca_file' 'api' 'authorization_endpoint' 'token_endpoint' 'device_authorization_endpoint' 'revocation_endpoint' 'introspection_endpoint' 'jwks_uri'
set -g __tokenctl_setting_values 'flow=auto' 'flow=browser' 'flow=device' 'flow=client-credentials' 'flow=api-key' 'flow=workload' 'store=keyring' 'store=session' 'store=file' 'store=memory' 'cache=true' 'cache=false' 'audit=on' 'audit=off' 'token_endpoint_auth_method=none' 'token_endpoint_auth_method=client_secret_basic' 'token_endpoint_auth_method=client_secret_basic_raw' 'token_endpoint_auth_method=client_secret_post' 'token_endpoint_auth_method=client_secret_jwt' 'token_endpoint_auth_method=private_key_jwt' 'assertion_algorithm=RS256' 'assertion_algorithm=RS384' 'assertion_algorithm=RS512' 'assertion_algorithm=PS256' 'assertion_algorithm=PS384' 'assertion_algorithm=PS512' 'assertion_algorithm=ES256' 'assertion_algorithm=ES384' 'assertion_algorithm=ES512' 'assertion_algorithm=EdDSA' 'assertion_algorithm=Ed25519' 'assertion_audience=issuer' 'assertion_audience=token_endpoint' 'source=auto' 'source=github' 'source=gitlab' 'source=circleci' 'source=buildkite' 'source=azure' 'source=kubernetes' 'source=gcp' 'source=file' 'source=env' 'source=command' 'identity_use=token-exchange' 'identity_use=jwt-bearer' 'identity_use=client-assertion' 'narrow_by=refresh' 'narrow_by=token-exchange' 'renewal_ends_access_token=true' 'renewal_ends_access_token=false'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a login -d 'Sign in once; the session goes into the keyring.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a token -d 'Print a fresh access token, for a pipe.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a exec -d 'Run a command with a fresh access token in its environment.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a write-file -d 'Write a fresh access token into a file.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a proxy -d 'Forward requests to one server with the token.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a show -d 'Show who is signed in, where, and for how long.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a refresh -d 'Renew the session now.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a revoke -d 'Sign out: revoke at the server, then forget here.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a profile -d 'Show and change the profiles of the config file.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a helper -d 'Give tokens to git, docker, kubectl and other tools.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a store -d 'Show where sessions are kept, or move one.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a audit -d 'Look for signs that somebody else uses a session.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a doctor -d 'Find out why it does not work here, and what to do.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a demo -d 'See the whole life of a session, without an account.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a completion -d 'Print the completion script of a shell.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a help -d 'Show the help of a command, or the page of a topic.'
complete -c tokenctl -n '__tokenctl_at "" "0"' -a logout -d 'Sign out: revoke at the server, then forget here.'
complete -c tokenctl -n '__tokenctl_helps' -a login -d 'Sign in once; the session goes into the keyring.'
complete -c tokenctl -n '__tokenctl_helps' -a token -d 'Print a fresh access token, for a pipe.'
complete -c tokenctl -n '__tokenctl_helps' -a exec -d 'Run a command with a fresh access token in its environment.'
complete -c tokenctl -n '__tokenctl_helps' -a write-file -d 'Write a fresh access token into a file.'
complete -c tokenctl -n '__tokenctl_helps' -a proxy -d 'Forward requests to one server with the token.'
complete -c tokenctl -n '__tokenctl_helps' -a show -d 'Show who is signed in, where, and for how long.'
complete -c tokenctl -n '__tokenctl_helps' -a refresh -d 'Renew the session now.'
complete -c tokenctl -n '__tokenctl_helps' -a revoke -d 'Sign out: revoke at the server, then forget here.'
complete -c tokenctl -n '__tokenctl_helps' -a profile -d 'Show and change the profiles of the config file.'
complete -c tokenctl -n '__tokenctl_helps' -a helper -d 'Give tokens to git, docker, kubectl and other tools.'
complete -c tokenctl -n '__tokenctl_helps' -a store -d 'Show where sessions are kept, or move one.'
complete -c tokenctl -n '__tokenctl_helps' -a audit -d 'Look for signs that somebody else uses a session.'
complete -c tokenctl -n '__tokenctl_helps' -a doctor -d 'Find out why it does not work here, and what to do.'
complete -c tokenctl -n '__tokenctl_helps' -a demo -d 'See the whole life of a session, without an account.'
complete -c tokenctl -n '__tokenctl_helps' -a completion -d 'Print the completion script of a shell.'
complete -c tokenctl -n '__tokenctl_helps' -a help -d 'Show the help of a command, or the page of a topic.'
complete -c tokenctl -n '__tokenctl_helps' -a logout -d 'Sign out: revoke at the server, then forget here.'
complete -c tokenctl -n '__tokenctl_at ""' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at ""' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at ""' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at ""' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at ""' -l version -d 'Show the version and exit.'
complete -c tokenctl -n '__tokenctl_at ""' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "login"' -l issuer -x -d 'The authorization server, exactly as in its documentation.'
complete -c tokenctl -n '__tokenctl_at "login"' -l client-id -x -d 'The client registered there for this tool.'
complete -c tokenctl -n '__tokenctl_at "login"' -l scope -x -d 'Can be repeated, or several in quotes; offline_access asks for a refresh token.'
complete -c tokenctl -n '__tokenctl_at "login"' -l resource -x -d 'The API that the token is for (RFC 8707); can be repeated.'
complete -c tokenctl -n '__tokenctl_at "login"' -l audience -x -d 'The API that the token is for, if the server uses audience.'
complete -c tokenctl -n '__tokenctl_at "login"' -l flow -x -a 'auto browser device client-credentials api-key workload' -d 'How to sign in; auto: browser, else device code.'
complete -c tokenctl -n '__tokenctl_at "login"' -l source -x -a 'auto github gitlab circleci buildkite azure kubernetes gcp file env command' -d 'With the flow workload: the source of the job\'s identity; auto finds the platform.'
complete -c tokenctl -n '__tokenctl_at "login"' -l no-browser -d 'Print the address and open nothing.'
complete -c tokenctl -n '__tokenctl_at "login"' -l port -x -d 'The port of the redirect URI, if the server needs an exact one; 8400 if you can choose.'
complete -c tokenctl -n '__tokenctl_at "login"' -l timeout -x -d 'How long to wait for the sign-in.'
complete -c tokenctl -n '__tokenctl_at "login"' -l client-secret-stdin -d 'Read the client secret from stdin.'
complete -c tokenctl -n '__tokenctl_at "login"' -l api-key-stdin -d 'Read the API key (or password) from stdin.'
complete -c tokenctl -n '__tokenctl_at "login"' -l store -x -a 'keyring session file memory' -d 'Where the session is kept.'
complete -c tokenctl -n '__tokenctl_at "login"' -l param -x -d 'Another parameter of the authorization request; an empty V leaves one out.'
complete -c tokenctl -n '__tokenctl_at "login"' -l switch-account -d 'Replace the session of another person, client or server.'
complete -c tokenctl -n '__tokenctl_at "login"' -l if-needed -d 'Do nothing if the session gives a token without a sign-in.'
complete -c tokenctl -n '__tokenctl_at "login"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "login"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "login"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "login"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "login"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "login"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "token"' -l for -x -d 'The token for this server: of the profile whose \'hosts\' has it; no token for any other one.'
complete -c tokenctl -n '__tokenctl_at "token"' -l min-ttl -x -d 'Renew if the token lives for less than this, such as 90, 15m or 1h30m (default 60s); at most half of the token\'s lifetime.'
complete -c tokenctl -n '__tokenctl_at "token"' -l wait -x -d 'Try again for this long if the server cannot be reached or the session is locked (exit status 6 and 7).'
complete -c tokenctl -n '__tokenctl_at "token"' -l format -x -a 'raw header json' -d 'What to print.'
complete -c tokenctl -n '__tokenctl_at "token"' -l scope -x -d 'A token with fewer rights than the session\'s.'
complete -c tokenctl -n '__tokenctl_at "token"' -l resource -x -d 'A token for this API alone (RFC 8707).'
complete -c tokenctl -n '__tokenctl_at "token"' -l audience -x -d 'A token for this API, by token exchange (RFC 8693).'
complete -c tokenctl -n '__tokenctl_at "token"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "token"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "token"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "token"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "token"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l env -x -d 'Set this variable, such as AUTH="Bearer {access_token}"; can be repeated.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l min-ttl -x -d 'Renew if the token lives for less than this, such as 90, 15m or 1h30m (default 60s); at most half of the token\'s lifetime.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l wait -x -d 'Try again for this long if the server cannot be reached or the session is locked (exit status 6 and 7).'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l scope -x -d 'A token with fewer rights than the session\'s.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l resource -x -d 'A token for this API alone (RFC 8707).'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l audience -x -d 'A token for this API, by token exchange (RFC 8693).'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l token-file -d 'Also keep the token fresh in the file that ACCESS_TOKEN_FILE names, while CMD runs.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l on-refresh -x -a 'signal:HUP signal:USR1 signal:USR2' -d 'With --token-file: send CMD this signal when the file has a new token, such as signal:HUP.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l proxy -x -d 'Give CMD no token, but a proxy to this server: its address in ACCESS_PROXY_URL, its secret as the token.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l allow -x -d 'Let only these requests pass the proxy, such as \'GET /v1\' or \'* /v1\'; can be repeated.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l bind -d 'Let the proxy\'s server get the token in this run, though it is not in \'hosts\'.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "exec" "0"' -a '(__tokenctl_programs)'
complete -c tokenctl -n '__tokenctl_at "exec" "0"; and string match -q "*/*" -- (commandline -ct)' -F
complete -c tokenctl -n '__tokenctl_at "exec" "1+"' -a '(__tokenctl_child)'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l min-ttl -x -d 'Renew if the token lives for less than this, such as 90, 15m or 1h30m (default 60s); at most half of the token\'s lifetime.'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l wait -x -d 'Try again for this long if the server cannot be reached or the session is locked (exit status 6 and 7).'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l scope -x -d 'A token with fewer rights than the session\'s.'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l resource -x -d 'A token for this API alone (RFC 8707).'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l audience -x -d 'A token for this API, by token exchange (RFC 8693).'
complete -c tokenctl -n '__tokenctl_at "write-file"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "write-file"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "write-file"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "write-file"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "write-file"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l listen -x -d 'Listen on this port; else on a free one.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l socket -r -F -d 'Listen on a unix socket that only you can open.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l secret-file -r -F -d 'Write the secret to this file.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l secret-header -x -d 'A header in which a client can present the secret, beside Authorization.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l allow -x -d 'Let only these requests pass the proxy, such as \'GET /v1\' or \'* /v1\'; can be repeated.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l bind -d 'Let the proxy\'s server get the token in this run, though it is not in \'hosts\'.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "proxy"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "proxy"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "show"' -l all -d 'Every profile of the config file.'
complete -c tokenctl -n '__tokenctl_at "show"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "show"' -l claims -d 'Also the claims of the tokens, decoded but not verified.'
complete -c tokenctl -n '__tokenctl_at "show"' -l verify -d 'Also whether the issuer signed the tokens.'
complete -c tokenctl -n '__tokenctl_at "show"' -l introspect -d 'Also the server\'s introspection of the access token (RFC 7662).'
complete -c tokenctl -n '__tokenctl_at "show"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "show"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "show"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "show"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "show"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -l all -d 'Every profile of the config file.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -l with-api-key -d 'Sign in again with the API key, or with the machine\'s own credentials.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "refresh"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "refresh"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -l all -d 'Every profile of the config file.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -l local -d 'Only forget the session here; it stays valid at the server.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "revoke"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "revoke"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a default -d 'Choose the profile that commands use when none is named.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a list -d 'List the profiles.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a remove -d 'Remove a profile from the config file.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a set -d 'Change settings of a profile, or make a new profile.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a show -d 'Show the settings of a profile, as the config file has them.'
complete -c tokenctl -n '__tokenctl_at "profile" "0"' -a unset -d 'Remove settings of a profile: their default values count again.'
complete -c tokenctl -n '__tokenctl_helps profile' -a default -d 'Choose the profile that commands use when none is named.'
complete -c tokenctl -n '__tokenctl_helps profile' -a list -d 'List the profiles.'
complete -c tokenctl -n '__tokenctl_helps profile' -a remove -d 'Remove a profile from the config file.'
complete -c tokenctl -n '__tokenctl_helps profile' -a set -d 'Change settings of a profile, or make a new profile.'
complete -c tokenctl -n '__tokenctl_helps profile' -a show -d 'Show the settings of a profile, as the config file has them.'
complete -c tokenctl -n '__tokenctl_helps profile' -a unset -d 'Remove settings of a profile: their default values count again.'
complete -c tokenctl -n '__tokenctl_at "profile"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile default"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile default"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile default"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile default"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile default"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile default" "0"' -a '(__tokenctl_profiles)'
complete -c tokenctl -n '__tokenctl_at "profile list"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "profile list"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile list"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile list"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile list"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile list"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile remove"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile remove"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile remove"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile remove"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile remove"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile remove" "0"' -a '(__tokenctl_profiles)'
complete -c tokenctl -n '__tokenctl_at "profile set"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile set"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile set"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile set"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile set"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile set" "0"' -a '(__tokenctl_profiles)'
complete -c tokenctl -n '__tokenctl_at "profile set" "1+"' -a '(__tokenctl_settings =)'
complete -c tokenctl -n '__tokenctl_at "profile set" "1+"; and string match -rq "^(client_key_file|source_file|ca_file)=" -- (commandline -ct)' -F
complete -c tokenctl -n '__tokenctl_at "profile show"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "profile show"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile show"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile show"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile show"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile show"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile show" "0"' -a '(__tokenctl_profiles)'
complete -c tokenctl -n '__tokenctl_at "profile unset"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "profile unset"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "profile unset"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "profile unset"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "profile unset"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "profile unset" "0"' -a '(__tokenctl_profiles)'
complete -c tokenctl -n '__tokenctl_at "profile unset" "1+"' -a '(__tokenctl_settings)'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a api-key -d 'Answer Claude Code, Codex, mutt, msmtp: the token alone.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a bazel -d 'Answer Bazel: a token for caches and downloads.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a cargo -d 'Answer cargo: a token for a registry of crates.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a docker -d 'Answer docker, podman, skopeo, buildah: a token for a registry.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a gcp -d 'Answer Google Cloud libraries: a token of your identity provider.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a git -d 'Answer git: a token for fetch and push.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a go -d 'Answer go: tokens for module proxies and private modules.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a install -d 'Set a client up, so that it gets its token from tokenctl.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a kubectl -d 'Answer kubectl: a token for a cluster.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a mcp-headers -d 'Answer Claude Code: a header for an MCP server.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a pnpm -d 'Answer pnpm: a token for a registry of packages.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a sasl -d 'Answer mail programs: the first line of a SASL sign-in.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a status -d 'Show what is installed, and whether it would get a token.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a terraform -d 'Answer terraform and OpenTofu: a token for a registry of modules.'
complete -c tokenctl -n '__tokenctl_at "helper" "0"' -a uninstall -d 'Undo \'helper install\'.'
complete -c tokenctl -n '__tokenctl_helps helper' -a api-key -d 'Answer Claude Code, Codex, mutt, msmtp: the token alone.'
complete -c tokenctl -n '__tokenctl_helps helper' -a bazel -d 'Answer Bazel: a token for caches and downloads.'
complete -c tokenctl -n '__tokenctl_helps helper' -a cargo -d 'Answer cargo: a token for a registry of crates.'
complete -c tokenctl -n '__tokenctl_helps helper' -a docker -d 'Answer docker, podman, skopeo, buildah: a token for a registry.'
complete -c tokenctl -n '__tokenctl_helps helper' -a gcp -d 'Answer Google Cloud libraries: a token of your identity provider.'
complete -c tokenctl -n '__tokenctl_helps helper' -a git -d 'Answer git: a token for fetch and push.'
complete -c tokenctl -n '__tokenctl_helps helper' -a go -d 'Answer go: tokens for module proxies and private modules.'
complete -c tokenctl -n '__tokenctl_helps helper' -a install -d 'Set a client up, so that it gets its token from tokenctl.'
complete -c tokenctl -n '__tokenctl_helps helper' -a kubectl -d 'Answer kubectl: a token for a cluster.'
complete -c tokenctl -n '__tokenctl_helps helper' -a mcp-headers -d 'Answer Claude Code: a header for an MCP server.'
complete -c tokenctl -n '__tokenctl_helps helper' -a pnpm -d 'Answer pnpm: a token for a registry of packages.'
complete -c tokenctl -n '__tokenctl_helps helper' -a sasl -d 'Answer mail programs: the first line of a SASL sign-in.'
complete -c tokenctl -n '__tokenctl_helps helper' -a status -d 'Show what is installed, and whether it would get a token.'
complete -c tokenctl -n '__tokenctl_helps helper' -a terraform -d 'Answer terraform and OpenTofu: a token for a registry of modules.'
complete -c tokenctl -n '__tokenctl_helps helper' -a uninstall -d 'Undo \'helper install\'.'
complete -c tokenctl -n '__tokenctl_at "helper"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -l ttl -x -d 'How long the client keeps the token; else 300.'
complete -c tokenctl -n '__tokenctl_at "helper api-key"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper bazel"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper bazel"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper bazel"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper bazel"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper bazel"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper bazel" "0+"' -a 'get'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -l cargo-plugin -d 'Speak cargo\'s protocol, not only print a token.'
complete -c tokenctl -n '__tokenctl_at "helper cargo"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper docker"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper docker"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper docker"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper docker"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper docker"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper docker" "0+"' -a 'get store erase list version'
complete -c tokenctl -n '__tokenctl_at "helper gcp"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper gcp"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper gcp"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper gcp"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper gcp"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper git"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper git"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper git"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper git"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper git"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper git" "0+"' -a 'get store erase capability'
complete -c tokenctl -n '__tokenctl_at "helper go"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper go"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper go"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper go"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper go"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -l host -x -d 'The server that gets the token, such as https://git.example.com.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -l config-file -r -F -d 'The client\'s file; else the one that it reads by itself.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -l dry-run -d 'Print what would be written, and write nothing.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -l replace -d 'Replace another helper of the same server.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper install"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper install"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper install" "0"' -a 'git docker kubectl cargo terraform go bazel pnpm pip uv claude-code codex'
complete -c tokenctl -n '__tokenctl_at "helper kubectl"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper kubectl"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper kubectl"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper kubectl"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper kubectl"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper mcp-headers"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper mcp-headers"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper mcp-headers"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper mcp-headers"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper mcp-headers"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper pnpm"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper pnpm"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper pnpm"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper pnpm"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper pnpm"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -l user -x -d 'The mail address that signs in.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -l host -x -d 'The mail server.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -l port -x -d 'Its port.'
complete -c tokenctl -n '__tokenctl_at "helper sasl"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper sasl" "0+"' -a 'oauthbearer xoauth2'
complete -c tokenctl -n '__tokenctl_at "helper status"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "helper status"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper status"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper status"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper status"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper status"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper terraform"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper terraform"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper terraform"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper terraform"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper terraform"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper terraform" "0+"' -a 'get store forget'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -l host -x -d 'The server that gets the token, such as https://git.example.com.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -l config-file -r -F -d 'The client\'s file; else the one that it reads by itself.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "helper uninstall" "0"' -a 'git docker kubectl cargo terraform go bazel pnpm pip uv claude-code codex'
complete -c tokenctl -n '__tokenctl_at "store" "0"' -a migrate -d 'Move the profile\'s session to another store.'
complete -c tokenctl -n '__tokenctl_at "store" "0"' -a show -d 'Show where the profile\'s session is kept.'
complete -c tokenctl -n '__tokenctl_helps store' -a migrate -d 'Move the profile\'s session to another store.'
complete -c tokenctl -n '__tokenctl_helps store' -a show -d 'Show where the profile\'s session is kept.'
complete -c tokenctl -n '__tokenctl_at "store"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "store"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "store"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "store"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "store"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -l to -x -a 'keyring session file' -d 'The new store of the session.'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "store migrate"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "store show"' -l all -d 'Every profile of the config file.'
complete -c tokenctl -n '__tokenctl_at "store show"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "store show"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "store show"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "store show"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "store show"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "store show"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "audit" "0"' -a acknowledge -d 'End the alarm of an anomaly, after you have looked into it.'
complete -c tokenctl -n '__tokenctl_helps audit' -a acknowledge -d 'End the alarm of an anomaly, after you have looked into it.'
complete -c tokenctl -n '__tokenctl_at "audit"' -l since -x -d 'Show only the last 90m, 25h or 7d; the whole log is read all the same.'
complete -c tokenctl -n '__tokenctl_at "audit"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "audit"' -l plot -d 'Draw the renewals over time instead of the events.'
complete -c tokenctl -n '__tokenctl_at "audit"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "audit"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "audit"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "audit"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "audit"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "audit acknowledge" "0"' -a 'refresh-token-refused session-changed-outside subject-changed clock-jumped too-many-renewals keyring-failing lock-waits idle-session'
complete -c tokenctl -n '__tokenctl_at "doctor"' -l offline -d 'Send nothing over the network, and leave out what needs it.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -l write-test -d 'Also write a probe entry to the keyring, read it and remove it.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -l json -d 'Answer with JSON on stdout.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "doctor"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "doctor"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "demo"' -l serve -d 'Keep the server running, to try the commands yourself.'
complete -c tokenctl -n '__tokenctl_at "demo"' -l host -x -d 'With --serve: the loopback address (default 127.0.0.1).'
complete -c tokenctl -n '__tokenctl_at "demo"' -l port -x -d 'With --serve: this port.'
complete -c tokenctl -n '__tokenctl_at "demo"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "completion"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "completion" "0"' -a 'bash zsh fish'
complete -c tokenctl -n '__tokenctl_at "help"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_at "logout"' -l all -d 'Every profile of the config file.'
complete -c tokenctl -n '__tokenctl_at "logout"' -l local -d 'Only forget the session here; it stays valid at the server.'
complete -c tokenctl -n '__tokenctl_at "logout"' -s p -l profile -x -a '(__tokenctl_profiles)' -d 'The profile; else TOKENCTL_PROFILE, or the default one.'
complete -c tokenctl -n '__tokenctl_at "logout"' -l config -r -F -d 'The config file; else TOKENCTL_CONFIG, or the platform\'s default path.'
complete -c tokenctl -n '__tokenctl_at "logout"' -s v -l verbose -d 'Write each step to stderr (never a secret).'
complete -c tokenctl -n '__tokenctl_at "logout"' -s q -l quiet -d 'Leave out warnings and notes; errors stay.'
complete -c tokenctl -n '__tokenctl_at "logout"' -s h -l help -d 'Show this message and exit.'
complete -c tokenctl -n '__tokenctl_helps' -a ci -d 'Pipelines and scripts: GitHub, GitLab, a plain shell.'
complete -c tokenctl -n '__tokenctl_helps' -a config -d 'The config file, and every setting of a profile.'
complete -c tokenctl -n '__tokenctl_helps' -a environment -d 'Every variable, and who is asked for.'
complete -c tokenctl -n '__tokenctl_helps' -a exit-statuses -d 'What each exit status means, and how a script uses it.'
complete -c tokenctl -n '__tokenctl_helps' -a helpers -d 'git, docker, kubectl and other tools: one command a client.'
complete -c tokenctl -n '__tokenctl_helps' -a keyrings -d 'What each keyring promises, and what to do where there is none.'
complete -c tokenctl -n '__tokenctl_helps' -a networks -d 'Proxies, certificates and slow networks.'
complete -c tokenctl -n '__tokenctl_helps' -a python -d 'Python programs: httpx, requests, async services, notebooks.'
complete -c tokenctl -n '__tokenctl_helps' -a reliability -d 'Why no session is lost to a race, a crash or a retry.'
complete -c tokenctl -n '__tokenctl_helps' -a security -d 'What is protected from whom, and what is not.'
complete -c tokenctl -n '__tokenctl_helps' -a servers -d 'Real authorization servers: what they need, and what is special there.'
complete -c tokenctl -n '__tokenctl_helps' -a signing-in -d 'A first login, the redirect URI, no browser, secrets.'
complete -c tokenctl -n '__tokenctl_helps' -a token-apis -d 'Sessions at token APIs that are not OAuth.'
complete -c tokenctl -n '__tokenctl_helps' -a troubleshooting -d 'What you see, what it means, and what to do.'
