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
# @tables@
