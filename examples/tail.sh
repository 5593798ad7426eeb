#!/bin/sh
# Prints each reading as it comes, with Mosquitto's client and jq: MQTT_HOST, MQTT_PORT, MQTT_USERNAME and MQTT_PASSWORD say where from.
# The first lines are what is retained: each inverter's newest reading, which at night is the evening's.
mosquitto_sub -h "${MQTT_HOST:-localhost}" -p "${MQTT_PORT:-1883}" -u "${MQTT_USERNAME:-tail}" -P "$MQTT_PASSWORD" \
  -q 1 -t 'envoy/+/inverters/+' |
  jq --unbuffered -r '"\(.reported_at) \(.serial) \(.power_w) W"'
