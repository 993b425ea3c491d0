# Doorkeeper and doorkeeper-openid_connect in the smallest Rails application: configuration, and one signed-in person.
require "action_controller/railtie"
require "active_record/railtie"
require "erb"
require "json"
require "openssl"
require "doorkeeper"
require "doorkeeper/openid_connect"

SETTINGS = JSON.parse(File.read(ENV.fetch("SETTINGS")))

class Application < Rails::Application
  config.load_defaults 6.1
  config.root = SETTINGS["folder"]
  config.eager_load = false
  config.secret_key_base = "only for this test" * 4
  config.hosts.clear
  config.logger = Logger.new($stderr)
  config.log_level = :warn
end

class Person < ActiveRecord::Base; end


Doorkeeper.configure do
  orm :active_record
  resource_owner_authenticator { Person.first }
  default_scopes :read
  optional_scopes :openid
  access_token_expires_in SETTINGS["seconds"].seconds
  use_refresh_token
  grant_flows %w[authorization_code client_credentials]
  force_ssl_in_redirect_uri false
  allow_blank_redirect_uri true
  # Its own consent page loses the nonce: the ID token would have none.
  skip_authorization { true }
end

Doorkeeper::OpenidConnect.configure do
  issuer SETTINGS["origin"]
  signing_key File.read(SETTINGS["key"])
  subject_types_supported [:public]
  resource_owner_from_access_token { |token| Person.find_by(id: token.resource_owner_id) }
  auth_time_from_resource_owner { |_| Time.now }
  reauthenticate_resource_owner { |_, _| nil }
  select_account_for_resource_owner { |_, _| nil }
  subject { |person, _| "person-#{person.id}" }
  protocol { :http }
end

Rails.application.initialize!
Rails.application.routes.draw do
  use_doorkeeper
  use_doorkeeper_openid_connect
end

# Their own migrations, as their generators write them.
def migrate(gem, path, name)
  template = File.read(File.join(Gem::Specification.find_by_name(gem).full_gem_path, "lib/generators", path))
  eval(ERB.new(template).result_with_hash(migration_version: "[6.1]"))
  Object.const_get(name).migrate(:up)
end

ActiveRecord::Migration.verbose = false
ActiveRecord::Schema.define { create_table(:people) { |table| table.string :name } }
migrate("doorkeeper", "doorkeeper/templates/migration.rb.erb", "CreateDoorkeeperTables")
migrate("doorkeeper", "doorkeeper/templates/enable_pkce_migration.rb.erb", "EnablePkce")
openid = "doorkeeper/openid_connect/templates/migration.rb.erb"
migrate("doorkeeper-openid_connect", openid, "CreateDoorkeeperOpenidConnectTables")
Person.create!(name: "alice")
SETTINGS["clients"].each do |uid, secret|
  Doorkeeper::Application.create!(
    name: uid, uid: uid, secret: secret || "", confidential: !secret.nil?, scopes: "openid read",
    redirect_uri: SETTINGS["redirect_uri"]
  )
end

run Rails.application
