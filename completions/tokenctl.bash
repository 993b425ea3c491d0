# bash completion for tokenctl. `tokenctl completion bash` prints it; print it again after an update of tokenctl.
# No program starts at TAB. It works with bash 3.2 (macOS), and without the package bash-completion.

# The table: what can follow the command $1. Sets `commands`, `options` and `arguments`,
# and for every command `settings` (of a profile) and `topics` (of help).
#
# An option is written NAME,NAME=VALUE; `...` before the = says that it can be repeated. A VALUE, like an argument, is
# a list of words with commas, or a kind: @profile, @file, @setting (KEY=VALUE), @key, @topic (of help), @program (and
# its own words), @text (nothing completes it).
__tokenctl_table() {
  commands='' options='' arguments=''
  case $1 in
    '')
      commands='login token exec write-file proxy show refresh revoke profile helper store audit doctor demo completion help logout'
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet --version -h,--help'
      ;;
    'login')
      options='--issuer=@text --client-id=@text --scope...=@text --resource...=@text --audience=@text --flow=auto,browser,device,client-credentials,api-key,workload --source=auto,github,gitlab,circleci,buildkite,azure,kubernetes,gcp,file,env,command --no-browser --port=@text --timeout=@text --client-secret-stdin --api-key-stdin --store=keyring,session,file,memory --param...=@text --switch-account --if-needed --json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'token')
      options='--for=@text --min-ttl=@text --wait=@text --format=raw,header,json --scope...=@text --resource...=@text --audience=@text -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'exec')
      options='--env...=@text --min-ttl=@text --wait=@text --scope...=@text --resource...=@text --audience=@text --token-file --on-refresh=signal:HUP,signal:USR1,signal:USR2 --proxy=@text --allow...=@text --bind -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@program...'
      ;;
    'write-file')
      options='--min-ttl=@text --wait=@text --scope...=@text --resource...=@text --audience=@text -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@file'
      ;;
    'proxy')
      options='--listen=@text --socket=@file --secret-file=@file --secret-header=@text --allow...=@text --bind -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text'
      ;;
    'show')
      options='--all --json --claims --verify --introspect -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'refresh')
      options='--all --json --with-api-key -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'revoke')
      options='--all --local -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'profile')
      commands='default list remove set show unset'
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'profile default')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@profile'
      ;;
    'profile list')
      options='--json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'profile remove')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@profile'
      ;;
    'profile set')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@profile @setting...'
      ;;
    'profile show')
      options='--json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@profile'
      ;;
    'profile unset')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@profile @key...'
      ;;
    'helper')
      commands='api-key bazel cargo docker gcp git go install kubectl mcp-headers pnpm sasl status terraform uninstall'
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'helper api-key')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet --ttl=@text -h,--help'
      arguments='@text...'
      ;;
    'helper bazel')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='get...'
      ;;
    'helper cargo')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet --cargo-plugin -h,--help'
      arguments='@text...'
      ;;
    'helper docker')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='get,store,erase,list,version...'
      ;;
    'helper gcp')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text...'
      ;;
    'helper git')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='get,store,erase,capability...'
      ;;
    'helper go')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text...'
      ;;
    'helper install')
      options='--host=@text --config-file=@file --dry-run --replace -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='git,docker,kubectl,cargo,terraform,go,bazel,pnpm,pip,uv,claude-code,codex'
      ;;
    'helper kubectl')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text...'
      ;;
    'helper mcp-headers')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text...'
      ;;
    'helper pnpm')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='@text...'
      ;;
    'helper sasl')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet --user=@text --host=@text --port=@text -h,--help'
      arguments='oauthbearer,xoauth2...'
      ;;
    'helper status')
      options='--json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'helper terraform')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='get,store,forget...'
      ;;
    'helper uninstall')
      options='--host=@text --config-file=@file -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='git,docker,kubectl,cargo,terraform,go,bazel,pnpm,pip,uv,claude-code,codex'
      ;;
    'store')
      commands='migrate show'
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'store migrate')
      options='--to=keyring,session,file -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'store show')
      options='--all --json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'audit')
      commands='acknowledge'
      options='--since=@text --json --plot -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'audit acknowledge')
      options='-p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      arguments='refresh-token-refused,session-changed-outside,subject-changed,clock-jumped,too-many-renewals,keyring-failing,lock-waits,idle-session'
      ;;
    'doctor')
      options='--offline --write-test --json -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
    'demo')
      options='--serve --host=@text --port=@text -h,--help'
      ;;
    'completion')
      options='-h,--help'
      arguments='bash,zsh,fish'
      ;;
    'help')
      options='-h,--help'
      arguments='@topic...'
      ;;
    'logout')
      options='--all --local -p,--profile=@profile --config=@file -v,--verbose -q,--quiet -h,--help'
      ;;
  esac
  settings='issuer=@text client_id=@text scope=@text resource=@text audience=@text hosts=@text host=@text flow=auto,browser,device,client-credentials,api-key,workload store=keyring,session,file,memory keyring_backend=@text passphrase_command=@text env=@text min_ttl=@text cache=true,false audit=on,off port=@text redirect_uri=@text token_endpoint_auth_method=none,client_secret_basic,client_secret_basic_raw,client_secret_post,client_secret_jwt,private_key_jwt client_key_file=@file client_key_id=@text assertion_algorithm=RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA,Ed25519 assertion_audience=issuer,token_endpoint source=auto,github,gitlab,circleci,buildkite,azure,kubernetes,gcp,file,env,command source_audience=@text source_file=@file source_variable=@text source_command=@text service_connection=@text identity_use=token-exchange,jwt-bearer,client-assertion narrow_by=refresh,token-exchange renewal_ends_access_token=true,false params=@text ca_file=@file api=@text authorization_endpoint=@text token_endpoint=@text device_authorization_endpoint=@text revocation_endpoint=@text introspection_endpoint=@text jwks_uri=@text'
  topics='ci config environment exit-statuses helpers keyrings networks python reliability security servers signing-in token-apis troubleshooting'
}

# The names of the profiles, from the config file (TOML), line by line. bash and zsh both run these functions.
# A name is compared and offered, and never evaluated.

# Sets `config` to the config file's path, as tokenctl finds it. $1 is the value of --config.
__tokenctl_config() {
  config=$1
  [[ -z $config ]] || return 0
  if [[ -n ${TOKENCTL_CONFIG+set} ]]; then
    config=$TOKENCTL_CONFIG
    return 0
  fi
  case ${OSTYPE-} in
    darwin*) config="${HOME-}/Library/Application Support" ;;
    msys* | cygwin*) config=${APPDATA-} ;;
    *)
      config=${HOME-}/.config
      # A relative path would mean the current directory; tokenctl ignores it too.
      [[ ${XDG_CONFIG_HOME-} != /* ]] || config=$XDG_CONFIG_HOME
      ;;
  esac
  config=$config/tokenctl/config.toml
}

# Sets `found` to the names that the given lines have: a newline, then each name with a newline.
__tokenctl_names() {
  local line name pair section=top open=
  local blank='[[:blank:]]*' bare='[A-Za-z0-9][A-Za-z0-9_-]*' quoted='[A-Za-z0-9][A-Za-z0-9._-]*'
  local profiles="(profiles|\"profiles\"|'profiles')" key="(${bare}|\"${quoted}\"|'${quoted}')"
  local table="^\\[${blank}${profiles}${blank}([]]|\\.${blank}${key}${blank}[].])"
  local top="^${profiles}${blank}\\.${blank}${key}${blank}[.=]" # profiles.NAME.setting = ..., above the first table
  local inside="^(${blank})${key}${blank}[.=]"                   # NAME = {...}, or NAME.setting = ..., in [profiles]
  found=$'\n'
  for line; do
    if [[ -n $open ]]; then # inside a string that goes on
      case $line in *"$open"*) __tokenctl_strings "$line" ;; esac
      continue
    fi
    line=${line#"${line%%[![:blank:]]*}"}
    name=
    case $section$line in
      other[!\[]* | other) ;; # the settings of a profile
      $section\[*)
        section=other
        if [[ $line =~ $table ]]; then
          name=${BASH_REMATCH[3]}
          [[ -n $name ]] || section=profiles
        fi
        ;;
      *)
        pair=$inside
        [[ $section = profiles ]] || pair=$top
        if [[ $line =~ $pair ]]; then
          name=${BASH_REMATCH[2]}
        fi
        ;;
    esac
    name=${name//[\"\']/}
    if [[ -n $name && ${#name} -le 64 ]]; then
      case $found in
        *$'\n'"$name"$'\n'*) ;;
        *) found+=$name$'\n' ;;
      esac
    fi
    case $line in
      *'"""'* | *"'''"*) __tokenctl_strings "$line" ;;
    esac
  done
}

# Follows the strings of a line up to its end or its comment. Sets `open` to the quotation marks of a string that goes
# on in the next line: that line can look like a table, and is none.
__tokenctl_strings() {
  local rest=$1
  [[ ${#rest} -lt 10000 ]] || return 0 # no person wrote it, and it would take long
  while [[ -n $rest ]]; do
    case $open in
      '')
        rest=${rest#"${rest%%[\"\'#]*}"}
        case $rest in
          '"""'*) open='"""' ;;
          "'''"*) open="'''" ;;
          '"'*) open='"' ;;
          "'"*) open="'" ;;
          *) return 0 ;; # a comment, or nothing
        esac
        rest=${rest#"$open"}
        ;;
      \'*) # nothing escapes a quotation mark
        case $rest in
          *"$open"*) rest=${rest#*"$open"} ;;
          *) break ;;
        esac
        __tokenctl_closed
        ;;
      *)
        rest=${rest#"${rest%%[\"\\]*}"}
        case $rest in
          \\*) rest=${rest#?} rest=${rest#?} ;;
          "$open"*) rest=${rest#"$open"} && __tokenctl_closed ;;
          *) rest=${rest#?} ;;
        esac
        ;;
    esac
  done
  case $open in
    '"' | "'") open= ;; # not valid TOML: such a string ends with its line
  esac
}

# Ends a string. A multi-line one can have one or two quotation marks of its own just before its end.
__tokenctl_closed() {
  case $open in
    ???) rest=${rest#"${open%??}"} rest=${rest#"${open%??}"} ;;
  esac
  open=
}

# Offers the words that begin as $2 does; $1 is what stands before them in the same word, such as --format=.
__tokenctl_offer() { # HEAD TYPED WORD...
  local head=$1 typed=${2#[\"\']} word
  shift 2
  for word; do
    if [[ $word = "$typed"* ]]; then
      word=$head$word
      COMPREPLY+=("${word#"$kept"}")
    fi
  done
}

# Sets an option of this completion only. bash 3.2 has no compopt; see the end of this file.
__tokenctl_set() { # OPTION
  type compopt >/dev/null 2>&1 && compopt -o "$1"
}

__tokenctl_offer_profiles() { # HEAD TYPED
  local LC_ALL=C IFS=$'\n' config found line lines
  __tokenctl_config "$given_config"
  # Not from a pipe, which would wait.
  [[ -f $config && -r $config ]] || return 0
  lines=('')
  while IFS= read -r line || [[ -n $line ]]; do
    ((${#lines[@]} < 100000 && ${#line} < 10000)) || break # no person wrote it, and it would take long
    line=${line#$'\xef\xbb\xbf'} # the mark that Windows editors write first
    lines+=("${line%$'\r'}")
  done 2>/dev/null <"$config"
  __tokenctl_names "${lines[@]}"
  # shellcheck disable=SC2086 # one name a line, and no name has a character that a pattern has
  __tokenctl_offer "$1" "$2" $found
}

__tokenctl_offer_settings() { # HEAD TYPED
  local key=${2%%=*} each
  if [[ $2 = *=* ]]; then
    for each in $settings; do
      if [[ ${each%%=*} = "$key" ]]; then
        __tokenctl_offer_value "${each#*=}" "$1$key=" "${2#*=}"
      fi
    done
  else
    for each in $settings; do
      [[ $words_given = *" ${each%%=*}="* ]] || __tokenctl_offer "$1" "$2" "${each%%=*}="
    done
    __tokenctl_set nospace
  fi
}

__tokenctl_offer_topics() { # HEAD TYPED
  local commands options arguments
  __tokenctl_table "${words_given# }" # empty: the commands of tokenctl itself
  # shellcheck disable=SC2086 # a table is words
  __tokenctl_offer "$1" "$2" $commands
  # shellcheck disable=SC2086
  [[ -n $words_given ]] || __tokenctl_offer "$1" "$2" $topics
}

# Programs of PATH. `compgen -c` would also offer aliases, functions and builtins, which exec cannot run.
__tokenctl_offer_programs() { # TYPED
  local IFS=: folder file offered=/
  if [[ $1 = */* ]]; then
    __tokenctl_set default
  else
    for folder in $PATH; do
      for file in "$folder/$1"*; do
        # Two folders can have the same program, as /usr/bin and a link /bin to it.
        [[ ! -f $file || ! -x $file || $offered = *"/${file##*/}/"* ]] || __tokenctl_offer '' "$1" "${file##*/}"
        offered+=${file##*/}/
      done
    done
  fi
}

__tokenctl_offer_value() { # VALUE HEAD TYPED
  case $1 in
    @profile*) __tokenctl_offer_profiles "$2" "$3" ;;
    @file*) __tokenctl_set default ;; # readline completes files best: quotes, ~, folders
    @setting*) __tokenctl_offer_settings "$2" "$3" ;;
    @topic*) __tokenctl_offer_topics "$2" "$3" ;;
    @program*) __tokenctl_offer_programs "$3" ;;
    @key*)
      local each
      for each in $settings; do
        [[ "$words_given " = *" ${each%%=*} "* ]] || __tokenctl_offer "$2" "$3" "${each%%=*}"
      done
      ;;
    @* | '') ;;
    *)
      # shellcheck disable=SC2086
      __tokenctl_offer "$2" "$3" ${1//,/ }
      ;;
  esac
}

__tokenctl_offer_options() {
  local each names
  for each in $options; do
    names=${each%%=*}
    # shellcheck disable=SC2086
    [[ $each != *...* && $options_given = *",${names##*,},"* ]] || __tokenctl_offer '' "$cur" ${names//[,.]/ }
  done
  case $arguments in @program*) __tokenctl_offer '' "$cur" -- ;; esac
}

# Finds the option $1 in the table of the command. Sets `value` to what completes its value, and notes that it is given.
__tokenctl_find() {
  local each names
  for each in $options; do
    names=${each%%=*}
    names=,${names%...},
    if [[ $names = *",$1,"* ]]; then
      value=${each#"${each%%=*}"}
      value=${value#=}
      options_given+=$names
      return 0
    fi
  done
  value=
  return 1
}

# Sets `words` to the words up to the cursor, as the person typed them: bash splits them at = and : too. `starts` has
# the number of each word in COMP_WORDS.
__tokenctl_words() {
  local line=${COMP_LINE:0:COMP_POINT} i rest word
  words=() starts=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    rest=${line#"${line%%[![:space:]]*}"}
    word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)) || [[ $rest != "$word"* ]]; then
      word=$rest
    fi
    if ((i == 0)) || [[ $rest != "$line" ]]; then
      words+=("$word") starts+=("$i")
    else
      words[${#words[@]} - 1]+=$word
    fi
    line=${rest#"$word"}
  done
}

# Reads a word before the cursor: the value of the option before it, an option, a command, or an argument.
__tokenctl_read() { # WORD
  local word=$1
  if [[ -n $value ]]; then
    [[ $option != --config ]] || __tokenctl_note_config "$word"
    value=
    return 0
  fi
  case $dashes$word in
    --)
      dashes=yes
      return 0
      ;;
    --*)
      option=${word%%=*}
      __tokenctl_find "$option"
      if [[ $word = *=* ]]; then
        value=
        [[ $option != --config ]] || __tokenctl_note_config "${word#*=}"
      fi
      return 0
      ;;
    -?*) # short ones: -v, -vq, -p NAME, -pNAME
      option=
      for ((word_at = 1; word_at < ${#word}; word_at++)); do
        if [[ -n $value ]]; then
          value=
          break
        fi
        __tokenctl_find "-${word:word_at:1}"
      done
      return 0
      ;;
  esac
  case "$count $commands " in
    0*" $word "*)
      path+=${path:+ }$word
      __tokenctl_table "$path"
      ;;
    *)
      words_given+=" $word"
      count=$((count + 1))
      ;;
  esac
}

# Notes a value of --config as the shell will give it to tokenctl, in the usual forms. Nothing is evaluated.
__tokenctl_note_config() { # WORD
  case $1 in
    \"*\" | \'*\') given_config=${1:1:${#1}-2} ;;
    \~/*) given_config=${HOME-}/${1#??} ;;
    *) given_config=$1 ;;
  esac
  given_config=${given_config//\\/}
}

# Completes the word at the cursor, when the words before it are read.
__tokenctl_complete() {
  local each number=0
  if [[ -n $value ]]; then
    __tokenctl_offer_value "$value" '' "$cur"
    return 0
  fi
  case $dashes$cur in
    --*=*)
      __tokenctl_find "${cur%%=*}"
      __tokenctl_offer_value "$value" "${cur%%=*}=" "${cur#*=}"
      return 0
      ;;
    -[!-]?*)
      if __tokenctl_find "${cur:0:2}" && [[ -n $value ]]; then
        __tokenctl_offer_value "$value" "${cur:0:2}" "${cur:2}"
        return 0
      fi
      ;;
  esac
  if [[ -z $dashes && $cur = -* ]]; then
    __tokenctl_offer_options
  elif [[ -n $commands ]]; then
    # shellcheck disable=SC2086
    ((count > 0)) || __tokenctl_offer '' "$cur" $commands
  elif [[ -z $dashes$cur && $arguments = @program* ]]; then
    COMPREPLY=(--)
  else
    for each in $arguments; do
      if ((number == count)) || [[ $each = *... ]]; then
        __tokenctl_offer_value "${each%...}" '' "$cur"
        return 0
      fi
      number=$((number + 1))
    done
    [[ -n $dashes$cur ]] || __tokenctl_offer_options # nothing else can follow
  fi
}

# Completes the words of the program that `exec` runs, as its own completion does.
__tokenctl_child() { # its number in COMP_WORDS
  local each
  for each in _comp_command_offset _command_offset; do # of bash-completion, since 2.12 and before
    if declare -F "$each" >/dev/null; then
      "$each" "$1"
      return
    fi
  done
  __tokenctl_set default
}

_tokenctl() {
  local IFS=$' \t\n' i words starts cur kept tail word_at
  local path='' commands options arguments settings topics # the command, and the table
  local option='' value='' dashes='' count=0 words_given='' options_given='' given_config=''
  COMPREPLY=()
  __tokenctl_words
  __tokenctl_table ''
  cur=${words[${#words[@]} - 1]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    __tokenctl_read "${words[i]}"
    if [[ $arguments = @program* && $count -gt 0 ]]; then
      __tokenctl_child "${starts[i]}"
      return
    fi
  done
  # readline replaces only what follows the last = or : of the word.
  tail=$cur
  if [[ $cur != [\"\']* ]]; then
    [[ ${COMP_WORDBREAKS-} != *=* ]] || tail=${tail##*=}
    [[ ${COMP_WORDBREAKS-} != *:* ]] || tail=${tail##*:}
  fi
  kept=${cur%"$tail"}
  __tokenctl_complete 2>/dev/null # nothing is written to the prompt, whatever the config file has
}

# bash 3.2 does not know nosort. There, files are offered wherever nothing else is, and a space follows KEY= too.
complete -o nosort -F _tokenctl tokenctl 2>/dev/null || complete -o default -F _tokenctl tokenctl
